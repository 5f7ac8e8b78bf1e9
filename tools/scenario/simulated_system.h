// SimulatedSystem: what the simulated application runs on: a virtual card with the auditor between
// it and its queue pairs, the engine, and the invariants.
//
// Threads: one. Ownership: `options` and `recorder` outlive the system. Operations of a
// SimulatedJob may be on the card, so the jobs end before the system.
#ifndef GHOSTCARD_TOOLS_SCENARIO_SIMULATED_SYSTEM_H_
#define GHOSTCARD_TOOLS_SCENARIO_SIMULATED_SYSTEM_H_

#include <cstdint>
#include <memory>

#include "engine/engine.h"
#include "hwsim/base/error.h"
#include "hwsim/base/random.h"
#include "hwsim/card/virtual_card.h"
#include "tools/scenario/invariants.h"
#include "tools/scenario/ring_auditor.h"
#include "tools/scenario/run_recorder.h"
#include "tools/scenario/scenario_options.h"
#include "tools/scenario/simulated_job.h"

namespace tools::scenario {

// The phases of a run, in order. Without `faults_end` a run stays in the first.
enum class ScenarioPhase : uint8_t {
  kFaults,    // operations start, and faults may fire
  kDraining,  // the faults are over: no operation starts, all that are under way have to end
  kLiveness,  // every slot of the card is used once more, and every operation has to succeed
};

class SimulatedSystem {
 public:
  SimulatedSystem(const ScenarioOptions& options, RunRecorder& recorder);
  SimulatedSystem(const SimulatedSystem&) = delete;
  SimulatedSystem& operator=(const SimulatedSystem&) = delete;

  // Creates the card, and the engine unless the options ask for lists. Fails when the card does not
  // come up. Requires: called once, before everything else.
  hwsim::Expected<void> Create();

  hwsim::card::VirtualCard& card() { return *card_; }
  // Requires: the options do not ask for lists.
  engine::Engine& engine() { return *engine_; }
  RingAuditor& rings() { return rings_; }
  Invariants& invariants() { return invariants_; }
  // The application's random choices.
  hwsim::Random& random() { return random_; }
  // True with this probability. Draws no number when the probability is 0.
  bool Chance(double probability) { return probability > 0 && random_.NextDouble() < probability; }

  hwsim::TimePoint Now() const { return card_->clock().Now(); }
  uint32_t queue_pair_count() const { return static_cast<uint32_t>(card_->queue_pairs().size()); }

  ScenarioPhase phase() const { return phase_; }
  void EnterPhase(ScenarioPhase phase) { phase_ = phase; }

  // The job whose code runs now; null: none. Requests that are pushed meanwhile are its own.
  const SimulatedJob* running() const { return running_; }
  // Returns the job that ran before.
  const SimulatedJob* SetRunning(const SimulatedJob* job);

  // Moves the clock to `to` and makes everything due by then happen at the card.
  void AdvanceTo(hwsim::TimePoint to);
  // Resets the card as an operator does, without the engine.
  void ResetCard();
  // Destroys a card that has no engine. It lets go of the requests that it still has.
  void DestroyBareCard() { bare_card_.reset(); }

 private:
  static constexpr uint64_t kRandomStream = 77;

  const ScenarioOptions& options_;
  RunRecorder& recorder_;
  hwsim::Random random_;
  const SimulatedJob* running_ = nullptr;
  ScenarioPhase phase_ = ScenarioPhase::kFaults;
  RingAuditor rings_;
  Invariants invariants_;
  hwsim::card::VirtualCard* card_ = nullptr;
  std::unique_ptr<hwsim::card::VirtualCard>
      bare_card_;  // the card when there is no engine to own it
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_SIMULATED_SYSTEM_H_
