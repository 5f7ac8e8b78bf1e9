// Job: a function that can be paused and resumed, on a stack of its own (a fibre).
//
// OpenSSL's ASYNC_JOB as C++. A thread has a pool of jobs; a job runs, pauses and
// resumes on the thread that started it, and on no other.
//
// Threads: everything acts on the calling thread's pool. Resuming another thread's
// job is refused. Ownership: a Job* is the pool's; it is valid until Start or Resume answers
// kFinished, and known as stale after that. It is a handle, not an address: compare it, hand it
// back, look at nothing behind it. A job holds a reference to its wait context.
// Limits: StackPool's (stack size, guard page); max_size jobs per thread, idle or in flight. A job
// that is still paused when its thread ends can never run again; its stack stays.
// Exceptions: each job has its own exception state. One that leaves a job's function ends
// the process, as it would leave a thread's.
#ifndef GHOSTCARD_WAITCTX_JOB_H_
#define GHOSTCARD_WAITCTX_JOB_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "waitctx/wait_context.h"

namespace waitctx {

class Job;

// The values are OpenSSL's.
enum class [[nodiscard]] JobStatus : int{
    kError = 0,   // refused: LastJobError() says why; the job handle, if any, is as before
    kNoJobs = 1,  // the pool is at max_size, or stacks are short: try again when a job has finished
    kPaused = 2,  // wait on its context, then Resume
    kFinished = 3,  // `result` is set, the handle is no more
};

using JobFunction = int (*)(void* args);

// Starts `function` on a job of this thread's pool and runs it until it pauses or finishes.
// `args` are copied; an empty span gives the function a null pointer. `context` may be null:
// then there is nothing to wait on. The caller's reference to it must last until this
// returns; a job that paused has one of its own. Sets `job` when it answers kPaused, `result` when
// kFinished.
JobStatus StartJob(Job*& job, WaitContext* context, int& result, JobFunction function,
                   std::span<const std::byte> args);
// Runs `job` on from its pause. kError: it is not paused (it finished), or is another thread's,
// or this is called inside a job; nothing happened.
JobStatus ResumeJob(Job*& job, int& result);

// The job that is running, or null.
Job* CurrentJob();
// Its context; null outside a job or when it was started without one.
WaitContext* CurrentWaitContext();
// The context of a job in flight; null for a stale handle and for null.
WaitContext* JobWaitContext(const Job* job);
// Gives control back to whoever started or resumed the current job, and returns when resumed.
// Outside a job, or with pausing blocked, it returns at once. Always true but for a defect.
bool PauseJob();
// Whether PauseJob() would pause: inside a job and not blocked.
bool CanPause();
// Counted; belongs to the current job and ends with it. Outside a job: no effect.
void BlockPause();
void UnblockPause();

// This thread's pool. `max_size` 0: no limit. Fails when init_size > max_size (0 < init_size with
// max_size 0 is refused too, as OpenSSL does), or when stacks cannot be had. A second call resizes
// the pool.
bool InitThread(size_t max_size, size_t init_size);
// Frees the idle jobs. Paused ones stay valid. May be called twice. Also done at thread exit.
void CleanupThread();

struct JobPoolCounts {
  size_t in_flight = 0;  // started and not finished
  size_t idle = 0;       // stacks kept for the next job
  size_t max_size = 0;   // 0: no limit
};
JobPoolCounts ThreadJobCounts();

// Why the last call on this thread answered kError; never null.
const char* LastJobError();

// A job as a value: starts in the constructor, is resumed until it has finished.
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
  // Requires: not paused. A paused job cannot be taken off its stack; it is left to its thread's
  // pool, and counted there as in flight for good.
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // Runs on from the pause. Requires: paused(), on the thread that made it.
  JobStatus Resume();
  JobStatus status() const { return status_; }
  bool paused() const { return status_ == JobStatus::kPaused; }
  int result() const { return result_; }
  // Requires: it was given one.
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
