#include "tools/scenario/recovery_phase.h"

#include <algorithm>
#include <string>

#include "engine/engine.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/model/card_state.h"

namespace tools::scenario {

using hwsim::Duration;
using hwsim::TimePoint;
using hwsim::faults::FaultKind;
using hwsim::model::CardState;

namespace {

// How long operations that were given up may stay on the card after the last job has ended.
constexpr Duration kDrainTimeout = std::chrono::seconds(10);

}  // namespace

void RecoveryPhase::RunUntilFinished() {
  while (!jobs_.AllFinished()) {
    switch (loop_.Turn()) {
      case TurnLoop::Answer::kProgress:
        break;
      case TurnLoop::Answer::kFaultsOver:
        EndFaults();
        // Patience counts from the end of the faults.
        if (options_.patience == Duration::zero()) OnOutOfPatience();
        break;
      case TurnLoop::Answer::kOutOfPatience:
        OnOutOfPatience();
        break;
    }
  }
}

void RecoveryPhase::OnOutOfPatience() {
  out_of_patience_ = true;
  recorder_.OutOfPatience();
  jobs_.CancelAll();
}

bool RecoveryPhase::NeedsOperatorReset() const {
  const hwsim::faults::FaultPlan& faults = options_.card.faults;
  const engine::run::HealthOptions& health = options_.engine.health;
  const bool response_lost =
      faults.Has(FaultKind::kResponseDropped) &&
      (health.stuck_limit == Duration::zero() || !options_.engine.time_limit);
  const bool card_hangs =
      faults.Has(FaultKind::kCardHang) && health.heartbeat_interval == Duration::zero();
  return response_lost || card_hangs;
}

void RecoveryPhase::EndFaults() {
  system_.EnterPhase(ScenarioPhase::kDraining);
  recorder_.Note(EventKind::kFaultsEnd);
  if (NeedsOperatorReset()) system_.ResetCard();
}

TimePoint RecoveryPhase::FalseAlarmsEnd() const {
  TimePoint end{};
  for (const hwsim::faults::FaultRule& rule : options_.card.faults.rules) {
    if (rule.kind != FaultKind::kHeartbeatFalseAlarm) continue;
    const Duration lasts = rule.time.value_or(*hwsim::faults::FormOf(rule.kind).time);
    end = std::max(end, TimePoint{} + *options_.faults_end + lasts);
  }
  return end;
}

bool RecoveryPhase::IsQuiet() const {
  const CardState state = system_.card().state();
  return system_.engine().in_flight() == 0 &&
         (state == CardState::kUp || state == CardState::kLost);
}

bool RecoveryPhase::WaitUntilQuiet() {
  engine::Engine& engine = system_.engine();
  for (engine.Poll(); !IsQuiet() && loop_.StepTo(loop_.end()); engine.Poll()) {
  }
  return IsQuiet();
}

void RecoveryPhase::RunLivenessPhase() {
  if (system_.phase() == ScenarioPhase::kFaults) {
    loop_.AdvanceTo(std::max(system_.Now(), TimePoint{} + *options_.faults_end));
    EndFaults();
  }
  if (!WaitUntilQuiet()) return OnOutOfPatience();
  // The engine does not notice a hang of a card that has no request.
  if (options_.card.faults.Has(FaultKind::kCardHang)) system_.ResetCard();
  loop_.AdvanceTo(std::max(system_.Now(), FalseAlarmsEnd()));
  if (!WaitUntilQuiet()) return OnOutOfPatience();
  system_.EnterPhase(ScenarioPhase::kLiveness);
  recorder_.Note(EventKind::kLivenessPhase);
  constexpr uint32_t kSlotsMax = 64;  // of a queue pair; more take long and show no more
  for (uint32_t index = 0; index < system_.queue_pair_count(); ++index) {
    const uint32_t slots = std::min(system_.card().queue_pairs()[index]->depth(), kSlotsMax);
    for (uint32_t i = 0; i < slots; ++i) jobs_.Add(index, 1);
  }
  RunUntilFinished();
}

void RecoveryPhase::FinishAndCheck() {
  engine::Engine& engine = system_.engine();
  const RingAuditor& rings = system_.rings();
  jobs_.CloseContexts();
  // Operations that were given up come back by themselves, or by a reset of the engine's.
  const TimePoint end = system_.Now() + kDrainTimeout;
  for (engine.Poll(); engine.in_flight() != 0 && loop_.StepTo(end); engine.Poll()) {
  }
  system_.invariants().TakeFaults();
  system_.invariants().CheckCounts(engine);
  jobs_.CheckNoFreedFdSignalled();
  if (options_.faults_end && rings.in_flight() != 0) {
    recorder_.Break(std::to_string(rings.in_flight()) + " requests stay on the card for good");
  }
  jobs_.CheckAllEnded();
  Count();
}

void RecoveryPhase::Count() {
  const engine::Engine::Stats stats = system_.engine().stats();
  recorder_.count("spurious") = stats.spurious_resumes;
  recorder_.count("retried") = stats.retried;
  recorder_.count("late") = stats.late;
  recorder_.count("resets") = stats.resets;
  recorder_.count("false_alarms") = stats.heartbeat_false_alarms;
  recorder_.count("told_again") = stats.told_again;
  recorder_.count("left_on_card") = system_.engine().in_flight();
  recorder_.count("interrupts") = system_.card().stats().interrupts;
  CountFaults(system_, recorder_);
}

void CountFaults(SimulatedSystem& system, RunRecorder& recorder) {
  recorder.count("faults") = system.card().fault_log().total();
  recorder.result().faults = system.invariants().faults();
  recorder.result().fault_log = system.card().fault_log().Text();
}

}  // namespace tools::scenario
