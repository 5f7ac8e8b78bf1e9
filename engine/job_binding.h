// JobBinding: the wait layer as the engine sees it: which job is running, and how it pauses.
// There are two: waitctx's own jobs (OwnJobs), and libcrypto's (engine/openssl), which gives each
// ASYNC_WAIT_CTX a WaitContext of ours to stand for it.
//
// Threads: called on the thread that runs the operation. A binding keeps no state of a run.
#ifndef GHOSTCARD_ENGINE_JOB_BINDING_H_
#define GHOSTCARD_ENGINE_JOB_BINDING_H_

#include "waitctx/wait_context.h"

namespace engine::run {
struct RunResources;
}  // namespace engine::run

namespace engine {

class Engine;
struct OperationState;

// A run whose job is about to pause, for a binding whose jobs can be destroyed while they are
// paused. A value: valid until the run ends, also when the job's stack is gone.
class PausedRun {
 public:
  // The job will never be resumed: ends the run and frees the operation, now or when the card lets
  // go of it. At most once, while the job is paused, on a thread that could resume it.
  void GiveUp() const;
  // The context that Context() gave to the run.
  waitctx::WaitContext* context() const;

  friend bool operator==(const PausedRun&, const PausedRun&) = default;

 private:
  friend class Engine;
  PausedRun(run::RunResources& resources, OperationState& operation)
      : resources_(&resources), operation_(&operation) {}

  run::RunResources* resources_;
  OperationState* operation_;
};

class JobBinding {
 public:
  virtual ~JobBinding() = default;

  // Whether the caller is a job that may pause. False: the run waits in place.
  virtual bool CanPause() const = 0;
  // The context through which the current job is told; null: there is none, and the job goes on
  // only when the application resumes it without having been told. Asked at the start of each run,
  // and valid until the run's End.
  virtual waitctx::WaitContext* Context() const = 0;
  // Gives control to the application, which sees the status and fds of the run's context as they
  // are now. Returns when the job is resumed. False: the job did not pause, or the binding cannot
  // know whether it did.
  virtual bool Pause(const PausedRun& run) const = 0;
  // The run on `context` (what Context() returned) ends without another pause: makes the context's
  // status the one that the application sees.
  virtual void End(waitctx::WaitContext* context) const = 0;
};

// waitctx's jobs.
class OwnJobs final : public JobBinding {
 public:
  bool CanPause() const override;
  waitctx::WaitContext* Context() const override;
  bool Pause(const PausedRun& run) const override;
  void End(waitctx::WaitContext*) const override {}
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_JOB_BINDING_H_
