// Tracker: is told of each ASYNC_* call of the program, and reports the rules that the call breaks.
//
// async_check.cc calls it on the calling thread, before or after the wait layer does what the
// program asked for. rule.h lists the rules. Where the manual can be read in several ways, the
// checker takes the reading that no correct program breaks. TrackedContexts and TrackedJobs hold
// the state and the rules; the Tracker holds the lock.
//
// Threads: any; one lock. Under the lock runs no code of the program or of the wait layer that
// could call back or switch stacks. State: one for the process.
#ifndef GHOSTCARD_WAITCTX_CHECK_TRACKER_H_
#define GHOSTCARD_WAITCTX_CHECK_TRACKER_H_

#include <cstdint>
#include <mutex>

#include "waitctx/check/broken_rules.h"
#include "waitctx/check/tracked_contexts.h"
#include "waitctx/check/tracked_jobs.h"
#include "waitctx/include/openssl/async.h"

namespace waitctx::check {

class Tracker {
 public:
  static Tracker& Get();

  // --- contexts ---
  void OnNew(ASYNC_WAIT_CTX* context);
  // Whether the program may use the context. False: the program has freed it, which is reported.
  bool CheckUsable(ASYNC_WAIT_CTX* context);
  // True: the caller frees the context, then calls OnFreed. False: the program has freed it before,
  // which is reported; the caller does not free it again.
  bool OnFree(ASYNC_WAIT_CTX* context);
  void OnFreed(ASYNC_WAIT_CTX* context);
  // `cleaned_up`: the program gave a cleanup function.
  void OnSetWaitFd(ASYNC_WAIT_CTX* context, const void* key, int fd, bool cleaned_up);
  void BeforeClearFd(ASYNC_WAIT_CTX* context, const void* key);
  void OnClearFd(ASYNC_WAIT_CTX* context, const void* key);
  // The application has read the list of wait fds.
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
  // False: the job cannot be resumed, which is reported; the caller does not resume it.
  bool BeforeResume(ASYNC_JOB* job, Run& run);
  // The wait layer refused the start or the resume.
  void OnRefused(const Run& run);
  // The running job pauses, or asked for a pause while pauses are blocked.
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
  Tracker() = default;
  // Calls update(broken) under the lock, and reports the broken rules after it.
  template <typename Update>
  void Locked(Update update);
  // The same, with update(context, broken), if the context is known.
  template <typename Update>
  void WithContext(ASYNC_WAIT_CTX* context, Update update);

  std::mutex mutex_;
  TrackedContexts contexts_;     // guarded by mutex_
  TrackedJobs jobs_{contexts_};  // guarded by mutex_
};

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_TRACKER_H_
