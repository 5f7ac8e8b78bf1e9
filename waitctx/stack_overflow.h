// Says it in words when a job runs off the end of its stack: the guard page under the stack faults,
// and a handler on an alternate stack names the job before the process ends as it would have.
//
// Threads: any. Process-wide, as signal handlers are: installed once, with the first job, and
// polite: every SIGSEGV goes on to the handler that was there before, ours or not.
#ifndef GHOSTCARD_WAITCTX_STACK_OVERFLOW_H_
#define GHOSTCARD_WAITCTX_STACK_OVERFLOW_H_

#include <cstddef>

#include "waitctx/stack_pool.h"

namespace waitctx {

// The job that runs on the calling thread.
struct RunningJob {
  const void* handle = nullptr;
  const void* function = nullptr;
  Stack stack;
};

// Asked from inside the signal handler; false: no job runs on this thread.
using RunningJobFn = bool (*)(RunningJob& job);

// The first call installs the handler; others do nothing.
void ReportStackOverflows(RunningJobFn running_job);

// A signal stack for the calling thread while this lives, unless the thread has one.
class AlternateStack {
 public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  void* memory_ = nullptr;
  size_t size_ = 0;
};

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_STACK_OVERFLOW_H_
