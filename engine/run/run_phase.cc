#include "engine/run/run_phase.h"

#include <thread>

#include "hwsim/base/check.h"

namespace engine::run {

bool RunPhase::Begin() {
  const Phase phase = now();
  GHOSTCARD_CHECK(IsAtRest(phase), "an operation is run while a run of it is under way");
  if (phase == Phase::kStopped) return false;
  // Relaxed: no other thread acts on the operation before it is submitted or queued.
  stop_.store(Outcome::kOk, std::memory_order_relaxed);
  phase_.store(Phase::kRetry, std::memory_order_relaxed);
  return true;
}

bool RunPhase::RequestStop(Outcome why) {
  // seq_cst: see Pause.
  const auto set_reason = [&] {
    Outcome none = Outcome::kOk;
    stop_.compare_exchange_strong(none, why, std::memory_order_seq_cst);
  };
  set_reason();
  for (const Phase waiting : {Phase::kPaused, Phase::kQueued}) {
    Phase phase = waiting;
    if (phase_.compare_exchange_strong(phase, Phase::kTelling, std::memory_order_seq_cst)) {
      // Again: between the two steps the run may have ended and the next one begun, which forgot
      // the reason. The next one is stopped then.
      set_reason();
      return true;
    }
  }
  return false;
}

Phase RunPhase::AwaitTold() const {
  Phase phase = now();
  for (; phase == Phase::kTelling; phase = now()) std::this_thread::yield();
  return phase;
}

Phase RunPhase::AwaitStop(Phase phase) const {
  GHOSTCARD_CHECK(phase == Phase::kTelling, "the card completed a request that it did not have");
  return AwaitTold();
}

}  // namespace engine::run
