// Invariants: what must hold between the operations that the application submitted and the
// notifications and outcomes that it got. They compare the application's own record (SimulatedJob)
// with the record of the RingAuditor.
//
// The caller reports each event when it happens (On...), and lets Check... run once a turn. A rule
// that does not hold is reported to `on_broken` with the job and the operation.
//
// Threads: one at a time. Ownership: what the constructor and Start take outlives this object.
#ifndef GHOSTCARD_TOOLS_SCENARIO_INVARIANTS_H_
#define GHOSTCARD_TOOLS_SCENARIO_INVARIANTS_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "hwsim/card/card.h"
#include "tools/scenario/event_log.h"
#include "tools/scenario/ring_auditor.h"
#include "tools/scenario/scenario_options.h"
#include "tools/scenario/simulated_job.h"

namespace tools::scenario {

class Invariants {
 public:
  Invariants(const ScenarioOptions& options, const RingAuditor& rings, EventLog& log,
             RingAuditor::OnBroken on_broken)
      : options_(options), rings_(rings), log_(log), on_broken_(std::move(on_broken)) {}
  // Called once, after the card was created and before the first event.
  void Start(const hwsim::card::Card& card);

  // Takes the faults that fired since the last call into the record and into the event log.
  void TakeFaults();
  // The queue pair accepted a request of `job`; null: the request is not a job's.
  void OnPushed(uint32_t queue_pair, const SimulatedJob* job);
  // The job's callback runs.
  void OnCallback(const SimulatedJob& job);
  // The job has paused, after it ran. `job.wait` says what it waits for.
  void OnPaused(SimulatedJob& job);
  // The job was resumed while it waited for space, and waits for space again with the same
  // operation. `was_notified`: it was resumed because it was told of a free slot.
  void OnPausedAgain(SimulatedJob& job, bool was_notified);
  // The job no longer waits for space.
  void OnLeftSpaceQueue(const SimulatedJob& job);
  // The job's operation ended. Requires: job.operation is still set.
  void OnEnded(const SimulatedJob& job, engine::Outcome outcome,
               const SimulatedJob::SoftwareResult& software);
  // The operator reset the card.
  void OnReset() { was_reset_ = true; }

  // Whether a wait_fd_twice fault will signal the wait fd again after the job took its result.
  bool WaitFdSignalsTwice(const SimulatedJob& job) const {
    return FaultHit(job, hwsim::faults::FaultKind::kWaitFdTwice);
  }

  // Checks that every job that had to be notified was notified, and no other job. `polled`: when
  // the engine was polled for certain; nullopt: it may not have looked. The time is passed since
  // callbacks may have let time pass after the poll.
  void CheckNotifications(const std::deque<SimulatedJob>& jobs,
                          std::optional<hwsim::TimePoint> polled);
  // Checks that the engine's counters agree with what the auditor saw.
  void CheckCounts(const engine::Engine& engine);

  // The faults that TakeFaults has seen, by kind.
  const std::array<uint64_t, hwsim::faults::kFaultKindCount>& faults() const {
    return fault_counts_;
  }

 private:
  using Wait = SimulatedJob::Wait;

  // Whether a fault of this kind hit the request, or the request of the job's operation.
  bool FaultHit(uint32_t queue_pair, uint64_t number, hwsim::faults::FaultKind kind) const;
  bool FaultHit(const SimulatedJob& job, hwsim::faults::FaultKind kind) const;
  // Whether the engine queues the job when it waits for space.
  bool EngineQueues(const SimulatedJob& job) const;
  // Whether the job is still to be told of a free slot: it waits for space, and it was neither
  // notified nor stopped.
  bool AwaitsSlot(const SimulatedJob& job) const;
  void CheckWaitForResult(const SimulatedJob& job) const;
  void CheckWaitForSpace(const SimulatedJob& job, std::optional<hwsim::TimePoint> polled) const;
  void CheckSpaceQueue(uint32_t queue_pair, bool polled) const;
  void CheckOutput(const SimulatedJob& job, bool succeeded,
                   const SimulatedJob::SoftwareResult& software) const;
  void CheckDeviceError(const SimulatedJob& job) const;
  void Break(const SimulatedJob& job, const std::string& rule) const;
  hwsim::TimePoint now() const { return card_->clock().Now(); }

  const ScenarioOptions& options_;
  const RingAuditor& rings_;
  EventLog& log_;
  const RingAuditor::OnBroken on_broken_;
  const hwsim::card::Card* card_ = nullptr;

  // By queue pair: the jobs that wait for space, first come first.
  std::vector<std::vector<SimulatedJob*>> space_queues_;
  // The faults that hit each request, one bit for each kind.
  std::unordered_map<uint64_t, uint32_t> faults_of_request_;
  std::array<uint64_t, hwsim::faults::kFaultKindCount> fault_counts_{};
  size_t faults_taken_ = 0;
  bool was_reset_ = false;
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_INVARIANTS_H_
