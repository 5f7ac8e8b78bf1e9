// Jobs: functions that can be paused and resumed, each on its own stack (a fibre). OpenSSL's
// ASYNC_JOB as C++.
//
// Threads: each thread has a pool of jobs; every function here acts on the calling thread's pool. A
// job runs, pauses and resumes on the thread that started it. Resuming a job of another thread is
// refused.
// Ownership: the pool owns its jobs. A Job* is a handle, not an address: compare it and pass it
// back, but do not dereference it. It is valid until StartJob or ResumeJob returns kFinished, and
// is recognised as stale after that. A job holds a reference to its wait context. Limits:
// StackPool's (stack size, guard page); max_size jobs per thread, idle or in flight. A job that is
// still paused when its thread ends can never run again; its stack is not freed. Exceptions: each
// job has its own exception state. An exception that leaves a job's function ends the process, as
// one that leaves a thread's function does.
#ifndef GHOSTCARD_WAITCTX_JOB_H_
#define GHOSTCARD_WAITCTX_JOB_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "waitctx/fibres/job_types.h"
#include "waitctx/wait_context.h"

namespace waitctx {

using fibres::Job;
using fibres::JobFunction;
using fibres::JobPoolCounts;
using fibres::JobStatus;

// Starts `function` on a job of this thread's pool and runs it until it pauses or finishes.
// `args` are copied; an empty span gives the function a null pointer. `context` may be null; the
// job then has nothing to wait on. Requires: the caller holds a reference to `context` until this
// returns; a job that has paused holds its own.
// kPaused: `job` is set; the caller waits on the context, then calls ResumeJob. kFinished: `result`
// is set. kNoJobs: the caller tries again when a job has finished. kError: nothing has happened.
JobStatus StartJob(Job*& job, WaitContext* context, int& result, JobFunction function,
                   std::span<const std::byte> args);
// Continues `job` from its pause. Returns as StartJob does. kError: the job is not paused (it has
// finished), or belongs to another thread, or the caller is inside a job; nothing has happened.
JobStatus ResumeJob(Job*& job, int& result);

// The job that is running, or null.
Job* CurrentJob();
// The running job's context; null outside a job, or if the job was started without one.
WaitContext* CurrentWaitContext();
// The context of a job in flight; null for a stale handle and for null.
WaitContext* JobWaitContext(const Job* job);
// Pauses the running job: StartJob or ResumeJob returns kPaused. Returns when the job is resumed.
// Outside a job, or while pauses are blocked, returns at once. Always returns true.
bool PauseJob();
// Whether PauseJob() would pause: inside a job and not blocked.
bool CanPause();
// Blocks and unblocks pauses of the running job. Calls nest; a block ends with its job. No effect
// outside a job.
void BlockPause();
void UnblockPause();

// Sets the size of this thread's pool, and makes up to `init_size` idle jobs. `max_size` 0: no
// limit. A second call resizes the pool. False: init_size > max_size (also with max_size 0, as in
// OpenSSL); nothing has changed.
bool InitThread(size_t max_size, size_t init_size);
// Frees the idle jobs; paused jobs stay valid. A second call does nothing. Runs at thread exit too.
void CleanupThread();

JobPoolCounts ThreadJobCounts();

// Why the last call that was refused on this thread was refused; never null.
const char* LastJobError();

// A job as a value: the constructor starts it, and the owner resumes it until it has finished.
//
//   waitctx::Fibre fibre(context, [&] { return Handshake(connection); });
//   while (fibre.paused()) { WaitFor(context); fibre.Resume(); }
//   int result = fibre.result();
class Fibre {
 public:
  template <typename F>
  requires std::is_invocable_r_v<int, F&> Fibre(WaitContextRef context, F function)
      : context_(std::move(context)) {
    Start(std::make_unique<Holder<F>>(std::move(function)));
  }
  // Requires: not paused. The frames of a paused job cannot be removed from its stack: the job
  // stays in its thread's pool, and counts as in flight until the thread ends.
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // Continues from the pause. Requires: paused(), on the thread that made the Fibre.
  JobStatus Resume();
  JobStatus status() const { return status_; }
  bool paused() const { return status_ == JobStatus::kPaused; }
  int result() const { return result_; }
  // Requires: the constructor was given a context.
  WaitContext& context() const { return *context_; }

 private:
  struct HolderBase {
    virtual ~HolderBase() = default;
    virtual int Run() = 0;
  };
  template <typename F>
  struct Holder final : HolderBase {
    explicit Holder(F f) : function(std::move(f)) {}
    int Run() override { return function(); }
    F function;
  };
  void Start(std::unique_ptr<HolderBase> holder);

  WaitContextRef context_;
  std::unique_ptr<HolderBase> holder_;
  Job* job_ = nullptr;
  JobStatus status_ = JobStatus::kError;
  int result_ = 0;
};

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_JOB_H_
