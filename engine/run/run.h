// Run: one run of an operation, from submit to outcome. Begin, then Advance until it returns kDone;
// between two calls the owner waits to be told, or tries again. Then outcome() stands.
//
// Where the run stands is in the operation's phase: engine/run/run_phase.h has the table of phases.
// A Run makes the changes, apart from those that belong to a lock or a moment of another class: the
// retry queue, the notifier, the given-up list, the engine's timer (a deadline requests a stop) and
// the end of the handle (OperationState::Release). The fields of the run are in the operation too
// (RunState): a Run is a value, two pointers, and may be made anew at any time.
//
// One operation goes through these rooms, once on the way down and once on the way up:
//   down  Engine::Run -> Begin -> RetryQueue::Submit -> QueuePair -> Notifier::Attach -> the pause
//   up    CompletionService -> OnCompletion -> Notifier::Tell -> the job -> Advance ->
//   Notifier::Take
//
// Threads: Begin, Advance, BeforePause, GiveUp and outcome on the owner's; Cancel and OnCompletion
// from any.
#ifndef GHOSTCARD_ENGINE_RUN_RUN_H_
#define GHOSTCARD_ENGINE_RUN_RUN_H_

#include <cstdint>

#include "engine/operation_state.h"
#include "engine/run/in_place_wait.h"
#include "engine/run/run_resources.h"
#include "engine/run_options.h"
#include "waitctx/wait_context.h"

namespace engine::run {

class Run {
 public:
  enum class Step : uint8_t {
    kDone,   // the run is over: see outcome()
    kWait,   // wait to be told, or resume and try again; then call Advance
    kRetry,  // inside Run only: submit again at once
  };

  Run(RunResources& resources, OperationState& operation)
      : resources_(resources), operation_(operation) {}

  // Starts a run and submits. `context` (may be null): how to tell the owner; alive until kDone.
  // `synchronous`: the owner waits in place. Returns kDone or kWait. Requires: no run is under way.
  Step Begin(waitctx::WaitContext* context, bool synchronous, const RunOptions& options);
  // The owner goes on after kWait, told or not. Returns kDone or kWait.
  Step Advance();
  // To be called after kWait, before a job or task pauses: does what a fault of the callback says.
  void BeforePause() {
    if (operation_.run.notify.complete_before_pause != hwsim::Duration::zero()) {
      CompleteOnOtherThread(resources_, operation_);
    }
  }
  // The owner gives up for good: its coroutine is destroyed, or its job will not be resumed. The
  // run is over when this returns. Requires: the last step was kWait.
  void GiveUp();
  Outcome outcome() const { return operation_.run.outcome; }

  // Asks the run to end with kCancelled, and tells its owner if that waits.
  void Cancel();
  // The card completed the request. Tells the owner if that waits.
  void OnCompletion();

 private:
  // These move the run on until it is kDone or kWait, or return kRetry.
  Step Submit();
  Step TrySubmit();
  Step OnFull(bool granted);
  Step OnRefused(bool granted);
  Step WaitForCompletion();
  Step WaitForSpace(bool at_head);
  Step EndCompleted();
  Step EndStopped();
  Step EndInSoftware();
  Step EndRefused();
  Step EndInChild();
  Step End(Outcome outcome);

  // A slot that this thread gave up, or could not announce, is granted elsewhere.
  void PassOn(RetryQueue& queue);
  void SetStatus(waitctx::Status status);
  RetryQueue& Queue() const;

  RunResources& resources_;
  OperationState& operation_;
};

}  // namespace engine::run

#endif  // GHOSTCARD_ENGINE_RUN_RUN_H_
