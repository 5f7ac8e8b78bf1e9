// TrackedContexts: what the checker knows of each wait context: its wait fds, its callback, its
// status, and whether the program has freed it; and the rules about these.
//
// Threads: all calls under the Tracker's lock. Ownership: pointers to a TrackedContext are valid
// until the next Add. Limits: remembers the callbacks of the last 4096 freed contexts.
#ifndef GHOSTCARD_WAITCTX_CHECK_TRACKED_CONTEXTS_H_
#define GHOSTCARD_WAITCTX_CHECK_TRACKED_CONTEXTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "waitctx/check/broken_rules.h"
#include "waitctx/check/call_stack.h"
#include "waitctx/check/cleared_fds.h"
#include "waitctx/include/openssl/async.h"

namespace waitctx::check {

struct TrackedWaitFd {
  const void* key;
  int fd;
  uint64_t number;  // unique
  const CallStack* set_at;
  int64_t signal_at_resume;  // see SignalOn()
  bool cleaned_up;           // the entry has a cleanup function
};

struct TrackedContext {
  uint64_t number = 0;  // unique, unlike the address: a later context may get that
  bool freed = false;
  bool being_freed = false;
  const CallStack* freed_at = nullptr;
  uint32_t jobs = 0;               // started and not finished
  std::vector<TrackedWaitFd> fds;  // oldest first
  std::vector<uint64_t> told_fds;  // numbers of the fds that the application has read
  std::pair<ASYNC_callback_fn, void*> callback{};
  bool callback_watched = false;  // `callback` is a stand-in
  bool called_back = false;       // since the last resume
  bool expects_call = false;      // ASYNC_STATUS_OK was set, and no callback has run since
  int status = ASYNC_STATUS_UNSUPPORTED;
  int status_at_pause = -1;  // when the paused job paused; -1: no job is paused
};

class TrackedContexts {
 public:
  // The context at `address` is new, also if an earlier one had that address.
  TrackedContext& Add(ASYNC_WAIT_CTX* address);
  // Null: never seen.
  TrackedContext* Find(ASYNC_WAIT_CTX* address);
  // Null as well if the address has become another context's.
  TrackedContext* Find(ASYNC_WAIT_CTX* address, uint64_t number);
  // Forgets what belongs to a context whose memory is gone, unless the address is in use again.
  void OnFreed(ASYNC_WAIT_CTX* address);
  // In the child after fork: no context has a job yet.
  void ForgetJobs();

  // --- wait fds ---
  void SetWaitFd(TrackedContext& context, const void* key, int fd, bool cleaned_up,
                 const CallStack* here, BrokenRules& broken);
  // Before the entry is cleared: its fd must still be open.
  void CheckOpen(const TrackedContext& context, const void* key, BrokenRules& broken) const;
  void ClearWaitFd(TrackedContext& context, const void* key, const CallStack* here);
  void ForgetFds(TrackedContext& context);
  void CheckClosedFds(const TrackedContext& context, BrokenRules& broken) const;

  // --- callbacks ---
  void SetCallback(ASYNC_WAIT_CTX* address, TrackedContext& context, ASYNC_callback_fn callback,
                   void* argument, bool watched);
  void OnCallback(ASYNC_callback_fn stand_in, void* argument, BrokenRules& broken);

  // --- jobs ---
  // Whether the application could know that the job paused at `paused` was ready to be resumed.
  // Breaks no rule where the manual lets the application resume unasked: nothing to wait on,
  // ASYNC_STATUS_EAGAIN, ASYNC_STATUS_ERR; nor where two jobs share the context, since the other
  // job may have taken the signal.
  void CheckReadiness(TrackedContext& context, const CallStack* paused, BrokenRules& broken) const;
  // Of a job that finished: it must have taken the signals that stood at its last resume.
  void CheckSignalsRead(const TrackedContext& context, const CallStack* paused,
                        BrokenRules& broken) const;

 private:
  using Callback = std::pair<ASYNC_callback_fn, void*>;

  static std::vector<TrackedWaitFd>::const_iterator Newest(const TrackedContext& context,
                                                           const void* key);
  static void CheckFdsAsked(const TrackedContext& context, BrokenRules& broken);
  void DropCallback(ASYNC_WAIT_CTX* address, TrackedContext& context);

  std::unordered_map<ASYNC_WAIT_CTX*, TrackedContext> contexts_;
  std::multimap<Callback, ASYNC_WAIT_CTX*> callbacks_;    // the contexts that use each
  std::map<Callback, const CallStack*> freed_callbacks_;  // where their last context was freed
  std::unordered_map<int, uint32_t> fd_entries_;  // in how many entries of live contexts an fd is
  ClearedFds cleared_fds_;
  uint64_t next_number_ = 1;
};

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_TRACKED_CONTEXTS_H_
