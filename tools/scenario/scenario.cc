#include "tools/scenario/scenario.h"

#include <string>
#include <utility>

#include "hwsim/base/open_descriptors.h"
#include "tools/scenario/list_driver.h"
#include "tools/scenario/recovery_phase.h"
#include "tools/scenario/run_recorder.h"
#include "tools/scenario/simulated_jobs.h"
#include "tools/scenario/simulated_system.h"
#include "tools/scenario/turn_loop.h"

namespace tools::scenario {

namespace {

using hwsim::Duration;
using hwsim::TimePoint;

void RunJobs(const ScenarioOptions& options, SimulatedSystem& system, RunRecorder& recorder) {
  SimulatedJobs jobs(options, system, recorder);
  TurnLoop loop(options, system, jobs);
  RecoveryPhase recovery(options, system, jobs, loop, recorder);
  if (options.synchronous) {
    jobs.RunWithoutJobs();
  } else {
    for (uint32_t index = 0; index < options.jobs; ++index) {
      jobs.Add(index % system.queue_pair_count(), options.operations);
    }
    recovery.RunUntilFinished();
    if (options.faults_end && !recovery.out_of_patience()) recovery.RunLivenessPhase();
  }
  recorder.result().took = system.Now() - TimePoint{};
  recovery.FinishAndCheck();
  recorder.result().hash = recorder.log().hash();
}

void RunLists(const ScenarioOptions& options, SimulatedSystem& system, RunRecorder& recorder) {
  const RingAuditor::OnBroken on_broken = [&](const std::string& rule) { recorder.Break(rule); };
  ListDriver driver(system.card(), system.rings(), system.random(), on_broken);
  const ListDriver::Load load{.requests = uint64_t{options.jobs} * options.operations,
                              .length_max = options.lists,
                              .kinds = options.mix,
                              .end = TimePoint{} + options.faults_end.value_or(Duration::zero()),
                              .patience = options.patience};
  if (!driver.Run(load, recorder.result().counts)) {
    ++recorder.count("stuck");
    recorder.OutOfPatience();
  }
  system.invariants().TakeFaults();
  uint64_t accepted = 0;
  for (const auto& queue_pair : system.card().queue_pairs()) {
    accepted += queue_pair->counts().accepted;
  }
  if (accepted != system.rings().counts().accepted) {
    recorder.Break("the queue pairs accepted " + std::to_string(accepted) +
                   " requests, the auditor saw " +
                   std::to_string(system.rings().counts().accepted) + " at the rings");
  }
  recorder.result().took = system.Now() - TimePoint{};
  CountFaults(system, recorder);
  recorder.result().hash = recorder.log().hash();
  system.DestroyBareCard();  // before the driver's requests, which it may still have
}

hwsim::Expected<ScenarioResult> Run(const ScenarioOptions& options, const ScenarioWatch& watch) {
  RunRecorder recorder(watch);
  SimulatedSystem system(options, recorder);
  if (auto created = system.Create(); !created) {
    return hwsim::Unexpected(std::move(created.error()));
  }
  if (options.lists != 0) {
    RunLists(options, system, recorder);
  } else {
    RunJobs(options, system, recorder);
  }
  return std::move(recorder.result());
}

}  // namespace

hwsim::Expected<ScenarioResult> RunScenario(const ScenarioOptions& options,
                                            const ScenarioWatch& watch) {
  const size_t before = hwsim::CountOpenDescriptors();
  auto result = Run(options, watch);
  const size_t after = hwsim::CountOpenDescriptors();
  if (after == before) return result;
  const std::string rule = std::to_string(after) + " descriptors are open after the run, and " +
                           std::to_string(before) + " were before";
  if (watch.log != nullptr) {
    const TimePoint end = TimePoint{} + (result ? result->took : Duration::zero());
    watch.log->Append({.at = end, .kind = EventKind::kBroken});
  }
  if (result) result->broken.push_back(rule);
  if (watch.on_broken) watch.on_broken(rule);
  return result;
}

}  // namespace tools::scenario
