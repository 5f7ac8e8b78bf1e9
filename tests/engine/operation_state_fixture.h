// TestOperation: an operation without work and without an engine, which counts how often it is
// freed.
#ifndef GHOSTCARD_TESTS_ENGINE_OPERATION_STATE_FIXTURE_H_
#define GHOSTCARD_TESTS_ENGINE_OPERATION_STATE_FIXTURE_H_

#include "engine/operation_state.h"

namespace engine {

struct TestOperation : OperationState {
  TestOperation()
      : OperationState([](OperationState* self) { ++static_cast<TestOperation*>(self)->freed; }) {}
  int freed = 0;

  // Runs the operation up to the given phase, as its owner does.
  void GoToRunning() {
    static_cast<void>(phase.Begin());
    phase.BeginSubmit();
    run.on_card = true;
  }
  void GoToPaused() {
    GoToRunning();
    static_cast<void>(phase.Pause());
  }
  void GoToQueued() {
    static_cast<void>(phase.Begin());
    phase.Enqueue();
  }
  // Paused, then stopped and told.
  void GoToStopped() {
    GoToPaused();
    if (phase.RequestStop(Outcome::kCancelled)) phase.FinishTelling(run::Phase::kStopped);
  }
};

}  // namespace engine

#endif  // GHOSTCARD_TESTS_ENGINE_OPERATION_STATE_FIXTURE_H_
