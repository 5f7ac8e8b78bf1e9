// TrackedJobs: what the checker knows of each job that has paused or blocked pauses, and the rules
// about starts, resumes, pauses and ends.
//
// Threads: all calls under the Tracker's lock. fork: the child inherits its parent's paused jobs;
// it breaks no rule by not resuming them.
#ifndef GHOSTCARD_WAITCTX_CHECK_TRACKED_JOBS_H_
#define GHOSTCARD_WAITCTX_CHECK_TRACKED_JOBS_H_

#include <cstdint>
#include <unordered_map>

#include "waitctx/check/broken_rules.h"
#include "waitctx/check/call_stack.h"
#include "waitctx/check/tracked_contexts.h"
#include "waitctx/include/openssl/async.h"

namespace waitctx::check {

// One ASYNC_start_job under way, on the caller's stack. A job has no handle before its first pause;
// until then this stands for it.
struct Run {
  ASYNC_WAIT_CTX* context = nullptr;
  const CallStack* started = nullptr;  // null: a resume
  // Set by TrackedJobs:
  uint64_t context_number = 0;
  ASYNC_JOB* job = nullptr;  // once it is known
};

struct TrackedJob {
  ASYNC_WAIT_CTX* context = nullptr;
  uint64_t context_number = 0;
  uint64_t thread = 0;
  const CallStack* started = nullptr;
  const CallStack* paused = nullptr;  // the last pause
  bool running = true;
  const CallStack* blocked = nullptr;  // the last ASYNC_block_pause
  uint32_t blocks = 0;
  bool inherited = false;  // from the parent process, and not resumed since the fork
};

class TrackedJobs {
 public:
  explicit TrackedJobs(TrackedContexts& contexts) : contexts_(contexts) {}

  void BeforeStart(Run& run, BrokenRules& broken);
  // False: the job cannot be resumed; `broken` says why.
  bool BeforeResume(ASYNC_JOB* job, Run& run, BrokenRules& broken);
  // The start or the resume was refused: undoes the call above.
  void OnRefused(const Run& run);
  // The running job pauses, or asked for a pause while pauses are blocked.
  void OnPause(ASYNC_JOB* job, Run& run, const CallStack* here, BrokenRules& broken);
  void OnFinish(const Run& run, BrokenRules& broken);
  void OnBlock(ASYNC_JOB* job, Run& run, const CallStack* here);
  void OnUnblock(ASYNC_JOB* job);

  // A paused job of the context, or null.
  const TrackedJob* PausedJobOn(const TrackedContext& context) const;
  // ASYNC_cleanup_thread on the calling thread: it must have no paused job.
  void CheckCleanup(BrokenRules& broken) const;
  // Forgets the paused jobs of a thread that ends, and reports them as leaked; 0: of all threads.
  void TakeLeaks(uint64_t thread, BrokenRules& broken);
  void AfterForkInChild();

 private:
  TrackedContext* ContextOf(const TrackedJob& job) {
    return contexts_.Find(job.context, job.context_number);
  }
  // The entry of the running job, made at its first pause or block.
  TrackedJob& Entry(ASYNC_JOB* job, Run& run);

  TrackedContexts& contexts_;
  std::unordered_map<ASYNC_JOB*, TrackedJob> jobs_;
};

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_TRACKED_JOBS_H_
