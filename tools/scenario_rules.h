// ScenarioRules: what must hold between what the application submitted and what it was told,
// held against the application's own books and the watcher's at the rings.
//
// Threads: one at a time. Ownership: what it is given outlives it.
#ifndef GHOSTCARD_TOOLS_SCENARIO_RULES_H_
#define GHOSTCARD_TOOLS_SCENARIO_RULES_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "hwsim/card.h"
#include "tools/event_log.h"
#include "tools/ring_books.h"
#include "tools/scenario.h"
#include "tools/scenario_job.h"

namespace tools {

class ScenarioRules {
 public:
  ScenarioRules(const ScenarioOptions& options, const RingBooks& rings, EventLog& log,
                RingBooks::OnBroken on_broken)
      : options_(options), rings_(rings), log_(log), on_broken_(std::move(on_broken)) {}
  // Once the card is there.
  void Begin(const hwsim::Card& card);

  // Takes note of the faults that fired since it was last called.
  void NoteFaults();
  // A request was accepted, of the operation of `job`; null: of no job.
  void NotePushed(uint32_t queue_pair, const ScenarioJob* job);
  // By a fault its wait fd will be readable once more when it has taken its result.
  bool WillBeToldTwice(const ScenarioJob& job) const {
    return Struck(job, hwsim::FaultKind::kWaitFdTwice);
  }
  // The job's callback runs.
  void NoteCalled(const ScenarioJob& job);
  // The job was resumed, having been told or not, and has paused again with the same operation
  // under way.
  void NotePausedAgain(ScenarioJob& job, bool was_told);
  // It has paused. Its `wait` says what for.
  void NotePaused(ScenarioJob& job);
  // It waits no more.
  void NoteRuns(const ScenarioJob& job);

  using Reference = ScenarioJob::Reference;
  void NoteEnded(const ScenarioJob& job, engine::Outcome outcome, const Reference& reference);

  // Who should have been told has been, and nobody else. `polled`: when the engine was, if it was
  // for certain; callbacks may have let time pass since.
  void CheckTold(const std::deque<ScenarioJob>& jobs, std::optional<hwsim::TimePoint> polled);
  void CheckCounts(const engine::Engine& engine);

  // The operator, or the engine, has reset the card.
  void NoteReset() { was_reset_ = true; }
  const std::array<uint64_t, hwsim::kFaultKindCount>& faults() const { return fault_counts_; }

 private:
  using Wait = ScenarioJob::Wait;

  bool Struck(uint32_t queue_pair, uint64_t number, hwsim::FaultKind kind) const;
  bool Struck(const ScenarioJob& job, hwsim::FaultKind kind) const;
  // Whether the engine keeps a place in line for it.
  bool StandsInLine(const ScenarioJob& job) const;
  // It does, was not told, and nothing else has come between.
  bool Waits(const ScenarioJob& job) const;
  void CheckResult(const ScenarioJob& job) const;
  void CheckSpace(const ScenarioJob& job, std::optional<hwsim::TimePoint> polled) const;
  void CheckLine(uint32_t queue_pair, bool polled) const;
  void CheckGood(const ScenarioJob& job, bool good, const Reference& reference) const;
  void Break(const ScenarioJob& job, const std::string& rule) const;
  hwsim::TimePoint now() const { return card_->clock().Now(); }

  const ScenarioOptions& options_;
  const RingBooks& rings_;
  EventLog& log_;
  const RingBooks::OnBroken on_broken_;
  const hwsim::Card* card_ = nullptr;

  // By queue pair: who waits for space, in the order in which they came.
  std::vector<std::vector<ScenarioJob*>> lines_;
  // The faults that struck a request, a bit each.
  std::unordered_map<uint64_t, uint32_t> struck_;
  std::array<uint64_t, hwsim::kFaultKindCount> fault_counts_{};
  size_t faults_seen_ = 0;
  bool was_reset_ = false;
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SCENARIO_RULES_H_
