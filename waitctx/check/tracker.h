// Tracker: what the program has of contexts and jobs, and which rule a call breaks.
//
// Told of each call by async_check.cc, in the calling thread, before or after the wait layer
// does what was asked for. The rules are in rule.h; where a rule could be read in several ways, the
// one is taken that no correct program breaks.
//
// Threads: any; one lock, under which nothing of the program's or of the wait layer's runs that
// could call back or switch stacks. State: one for the process.
// fork: the child has its parent's jobs and contexts, and is not blamed for leaving those alone.
#ifndef GHOSTCARD_WAITCTX_CHECK_TRACKER_H_
#define GHOSTCARD_WAITCTX_CHECK_TRACKER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "waitctx/check/call_stack.h"
#include "waitctx/check/cleared_fds.h"
#include "waitctx/check/recorder.h"
#include "waitctx/include/openssl/async.h"

namespace waitctx::check {

// One ASYNC_start_job under way: what the job will be known by from its first pause on.
struct Run {
  ASYNC_WAIT_CTX* context = nullptr;
  const CallStack* started = nullptr;  // null: it is a resume
  // The tracker's: which context is meant, and the job, once it is known.
  uint64_t context_number = 0;
  ASYNC_JOB* job = nullptr;
};

class Tracker {
 public:
  static Tracker& Get();

  // --- contexts ---
  void OnNew(ASYNC_WAIT_CTX* context);
  // Whether the context may be used. False, and reported: it was freed.
  bool CheckUsable(ASYNC_WAIT_CTX* context);
  // False: it was freed before, do not free it again. True: free it, then call OnFreed.
  bool OnFree(ASYNC_WAIT_CTX* context);
  void OnFreed(ASYNC_WAIT_CTX* context);
  // `cleaned_up`: with a cleanup function.
  void OnSetWaitFd(ASYNC_WAIT_CTX* context, const void* key, int fd, bool cleaned_up);
  void BeforeClearFd(ASYNC_WAIT_CTX* context, const void* key);
  void OnClearFd(ASYNC_WAIT_CTX* context, const void* key);
  // The application has been told which fds there are.
  void OnFdsTold(ASYNC_WAIT_CTX* context);
  // `watched`: `callback` is a stand-in.
  void OnSetCallback(ASYNC_WAIT_CTX* context, ASYNC_callback_fn callback, void* argument,
                     bool watched);
  void OnSetStatus(ASYNC_WAIT_CTX* context, int status);

  // --- callbacks ---
  void OnCallback(ASYNC_callback_fn stand_in, void* argument);
  void AfterCallback(ASYNC_callback_fn function, int64_t ns);

  // --- jobs ---
  void BeforeStart(Run& run);
  // False: it cannot be resumed, which was reported.
  bool BeforeResume(ASYNC_JOB* job, Run& run);
  // It did not start, or not resume: as if it had not been tried.
  void OnRefused(const Run& run);
  // The running job pauses, or asked for a pause that is blocked.
  void OnPause(ASYNC_JOB* job, Run& run);
  void OnFinish(const Run& run);
  void OnBlock(ASYNC_JOB* job, Run& run);
  void OnUnblock(ASYNC_JOB* job);
  void OnCleanupThread();

  // --- ends ---
  void OnThreadExit();
  void OnProcessExit();
  void BeforeFork();
  void AfterForkInParent();
  void AfterForkInChild();

 private:
  struct WaitFd {
    const void* key;
    int fd;
    uint64_t number;  // no two entries have the same
    const CallStack* set_at;
    int64_t signal_at_resume;  // see SignalOn()
    bool cleaned_up;
  };
  struct Context {
    uint64_t number = 0;  // the address may be another context's later
    bool freed = false;
    bool being_freed = false;
    const CallStack* freed_at = nullptr;
    uint32_t jobs = 0;               // started and not finished
    std::vector<WaitFd> fds;         // oldest first
    std::vector<uint64_t> told_fds;  // numbers that the application knows
    std::pair<ASYNC_callback_fn, void*> callback{};
    bool callback_watched = false;
    bool called_back = false;   // since the last resume
    bool expects_call = false;  // ASYNC_STATUS_OK was set, and no callback has come
    int status = ASYNC_STATUS_UNSUPPORTED;
    int status_at_pause = -1;  // of the job that is paused; -1: none is
  };
  struct Job {
    ASYNC_WAIT_CTX* context = nullptr;
    uint64_t context_number = 0;
    uint64_t thread = 0;
    const CallStack* started = nullptr;
    const CallStack* paused = nullptr;  // where it last did
    bool running = true;
    const CallStack* blocked = nullptr;  // the last ASYNC_block_pause
    uint32_t blocks = 0;
    bool inherited = false;  // its parent's, not resumed since the fork
  };
  // Collected under the lock, reported without.
  struct Broken {
    Rule rule;
    const CallStack* site;    // null: here
    const CallStack* origin;  // may be null
    int64_t measure = 0;
  };
  using Findings = std::vector<Broken>;

  Tracker() = default;
  static void Report(const Findings& findings);
  Context* Find(ASYNC_WAIT_CTX* context);
  Context* ContextOf(const Job& job);
  Job& JobFor(ASYNC_JOB* job, Run& run);
  const Job* PausedJobOn(const Context& context) const;
  bool Shared(const WaitFd& fd) const;
  void CheckReadiness(Context& context, const Job& job, Findings& findings);
  void CheckClosedFds(const Context& context, Findings& findings) const;
  void CheckFdsAsked(const Context& context, Findings& findings) const;
  void CheckSignalsRead(const Context& context, const CallStack* paused, Findings& findings) const;
  void ForgetFds(Context& context);
  void DropCallback(ASYNC_WAIT_CTX* address, Context& context);
  // Of that thread; 0: of all.
  void TakeLeaks(uint64_t thread, Findings& findings);

  std::mutex mutex_;
  // All guarded by mutex_.
  std::unordered_map<ASYNC_WAIT_CTX*, Context> contexts_;
  std::unordered_map<ASYNC_JOB*, Job> jobs_;
  // Who is told by which pair of callback and argument; and pairs whose last context was freed.
  std::multimap<std::pair<ASYNC_callback_fn, void*>, ASYNC_WAIT_CTX*> callbacks_;
  std::map<std::pair<ASYNC_callback_fn, void*>, const CallStack*> freed_callbacks_;
  std::unordered_map<int, uint32_t> fd_entries_;  // in how many entries of live contexts an fd is
  ClearedFds cleared_fds_;
  uint64_t next_number_ = 1;
};

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_TRACKER_H_
