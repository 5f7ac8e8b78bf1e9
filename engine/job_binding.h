// JobBinding: the wait layer as the engine sees it: who is running, and how it pauses.
// One engine core, two bindings: waitctx's own jobs (OwnJobs) and libcrypto's
// (engine/openssl), which gives each ASYNC_WAIT_CTX a WaitContext of ours to stand for it.
//
// Threads: called on the thread that runs the operation. A binding keeps no state of a run.
#ifndef GHOSTCARD_ENGINE_JOB_BINDING_H_
#define GHOSTCARD_ENGINE_JOB_BINDING_H_

#include "waitctx/wait_context.h"

namespace engine {

class Engine;
class OperationState;

// A run whose job is about to pause, for bindings whose jobs can vanish in the middle of one.
class PausedRun {
 public:
  // The job will never be resumed: ends the run; what it ran is freed once the card lets go of it.
  // At most once, while the job is paused, on a thread that could resume it.
  void GiveUp() const;
  // What Context() gave to the run.
  waitctx::WaitContext* context() const;

  friend bool operator==(const PausedRun&, const PausedRun&) = default;

 private:
  friend class Engine;
  PausedRun(Engine& engine, OperationState& operation) : engine_(&engine), operation_(&operation) {}

  Engine* engine_;
  OperationState* operation_;
};

class JobBinding {
 public:
  virtual ~JobBinding() = default;

  // Whether the caller is a job that may pause; otherwise it waits synchronously.
  virtual bool CanPause() const = 0;
  // Whom to tell about the current job; null: nobody (it is resumed by trial). Asked at the start
  // of each run, and valid until its End.
  virtual waitctx::WaitContext* Context() const = 0;
  // Gives control to the application, which sees the status and fds of the run's context as they
  // are now; returns when the job is resumed. False: it did not pause, or cannot know whether it
  // did.
  virtual bool Pause(const PausedRun& run) const = 0;
  // The run on `context` (what Context() gave) ends without another pause: makes the context's
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
