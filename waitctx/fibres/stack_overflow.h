// Reports in words that a job has overflowed its stack. The guard page below the stack faults, and
// a SIGSEGV handler on an alternate stack prints the job before the process ends as it would
// without the handler.
//
// Threads: any. Process-wide, as signal handlers are: installed once, with the first job. The
// handler passes every SIGSEGV on to the handler that was installed before.
#ifndef GHOSTCARD_WAITCTX_FIBRES_STACK_OVERFLOW_H_
#define GHOSTCARD_WAITCTX_FIBRES_STACK_OVERFLOW_H_

#include <cstddef>

#include "waitctx/fibres/stack_pool.h"

namespace waitctx::fibres {

// Describes the job that runs on the calling thread.
struct RunningJob {
  const void* handle = nullptr;
  const void* function = nullptr;
  Stack stack;
};

// Fills in `job`; false: no job runs on this thread. The signal handler calls it.
using RunningJobFn = bool (*)(RunningJob& job);

// The first call installs the handler; later calls do nothing.
void ReportStackOverflows(RunningJobFn running_job);

// Gives the calling thread a signal stack, unless it has one. The destructor takes it away again.
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

}  // namespace waitctx::fibres

#endif  // GHOSTCARD_WAITCTX_FIBRES_STACK_OVERFLOW_H_
