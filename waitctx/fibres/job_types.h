// The types that name a job: its handle, its function, the status of a start or a resume, and the
// counts of a thread's pool. Part of job.h, and all that the layer below it needs.
#ifndef GHOSTCARD_WAITCTX_FIBRES_JOB_TYPES_H_
#define GHOSTCARD_WAITCTX_FIBRES_JOB_TYPES_H_

#include <cstddef>

namespace waitctx::fibres {

// A handle; never defined.
class Job;

// The values are OpenSSL's.
enum class [[nodiscard]] JobStatus : int{
    kError = 0,     // refused: LastJobError() says why; the job handle, if any, has not changed
    kNoJobs = 1,    // the pool is at max_size, or no stack is left: retry when a job has finished
    kPaused = 2,    // wait on the job's context, then call ResumeJob
    kFinished = 3,  // `result` is set, the handle is stale
};

using JobFunction = int (*)(void* args);

struct JobPoolCounts {
  size_t in_flight = 0;  // started and not finished
  size_t idle = 0;       // stacks kept for the next job
  size_t max_size = 0;   // 0: no limit
};

}  // namespace waitctx::fibres

#endif  // GHOSTCARD_WAITCTX_FIBRES_JOB_TYPES_H_
