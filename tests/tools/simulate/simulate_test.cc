// Runs drawn from seeds: a seed always gives the same run, a failing run gets a verdict, is reduced
// and is written to a file, and the swarm reaches every mark.
#include "tools/simulate/simulate.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "hwsim/base/coverage_mark.h"
#include "hwsim/base/fd.h"
#include "hwsim/faults/fault_plan.h"
#include "tools/cli/simulate_command.h"
#include "tools/scenario/scenario.h"
#include "tools/scenario/scenario_toml.h"
#include "tools/scenario/scenario_toml_writer.h"
#include "tools/simulate/reduce.h"
#include "tools/simulate/run_trace.h"
#include "tools/simulate/swarm.h"
#include "tools/simulate/worker_process.h"
#include "tools/text/environment.h"
#include "waitctx/job.h"

namespace tools::simulate {
namespace {

using namespace std::chrono_literals;
using hwsim::faults::FaultKind;

// A few jobs on a card that takes 100 us for each operation.
scenario::ScenarioOptions Small() {
  scenario::ScenarioOptions options;
  options.card.cost(hwsim::operations::OperationKind::kSha256).service.base = 100us;
  options.jobs = 8;
  options.operations = 8;
  options.depth = 4;
  options.engine.watchdog_interval = 5ms;
  options.faults_end = 400us;
  options.patience = 50ms;
  return options;
}

// The completion errors go on after faults_end, which breaks a rule. The other faults break none.
scenario::ScenarioOptions Broken() {
  scenario::ScenarioOptions options = Small();
  options.card.faults.rules = {
      {.kind = FaultKind::kResponseDelayed, .every_nth = 3},
      {.kind = FaultKind::kCompletionError, .every_nth = 2},
      {.kind = FaultKind::kRingFull, .every_nth = 7},
  };
  return options;
}

// A response is lost, the engine has no time limit, and the card is not reset afterwards.
scenario::ScenarioOptions Stuck() {
  scenario::ScenarioOptions options = Small();
  options.faults_end.reset();
  options.card.faults.rules = {{.kind = FaultKind::kResponseDropped, .nth = 3}};
  return options;
}

// Runs in this process leave job stacks behind. ThreadSanitizer counts a stack as a thread, and
// reports false races in a child that is forked from a process with several threads.
class InThisProcess : public testing::Test {
 protected:
  void TearDown() override { waitctx::CleanupThread(); }
};
using RunScenarioTest = InThisProcess;
using SwarmTest = InThisProcess;
using ScenarioWriteTest = InThisProcess;

TEST_F(SwarmTest, SameSeedIsTheSameRunEventByEvent) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    const scenario::ScenarioOptions options = DrawScenario(seed);
    ASSERT_TRUE(options.card.Validate()) << options.card.Validate().error().message;
    scenario::EventLog first(true);
    scenario::EventLog second(true);
    const auto result = scenario::RunScenario(options, {.log = &first});
    if (!result) continue;  // the card has no free instance
    EXPECT_EQ(result->broken, std::vector<std::string>{});
    ASSERT_TRUE(scenario::RunScenario(options, {.log = &second}));
    EXPECT_EQ(first.events(), second.events());
    EXPECT_EQ(first.hash(), second.hash());
    hashes.insert(first.hash());
  }
  EXPECT_GE(hashes.size(), 19u);
}

// Without runs that free contexts: a task can be destroyed, a job cannot.
TEST_F(SwarmTest, TasksAreToldAsJobsAre) {
  uint32_t worst_moments = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    scenario::ScenarioOptions options = DrawScenario(seed);
    if (options.free_context != 0) continue;
    scenario::EventLog in_jobs(true);
    scenario::EventLog in_tasks(true);
    options.tasks = false;
    const auto result = scenario::RunScenario(options, {.log = &in_jobs});
    if (!result) continue;  // the card has no free instance
    options.tasks = true;
    const auto other = scenario::RunScenario(options, {.log = &in_tasks});
    ASSERT_TRUE(other);
    EXPECT_EQ(other->counts, result->counts);
    ASSERT_EQ(in_tasks.events(), in_jobs.events());
    worst_moments += result->faults[static_cast<size_t>(FaultKind::kCallbackWorstMoment)] != 0;
  }
  EXPECT_GE(worst_moments, 1u);
}

// When no response comes during the alarm, the engine takes the card for dead and resets it.
TEST_F(RunScenarioTest, FalseAlarmThatOutlastsTheFaultsIsWaitedFor) {
  scenario::ScenarioOptions options = Small();
  options.operations = 1;
  options.card.cost(hwsim::operations::OperationKind::kSha256).service.base = 1ms;
  options.card.health.heartbeat = 100us;
  options.engine.health.heartbeat_interval = 250us;
  options.faults_end = 9ms;
  options.card.faults.rules = {
      {.kind = FaultKind::kHeartbeatFalseAlarm, .at = 8990us, .until = 9ms, .time = 3ms}};
  const auto result = scenario::RunScenario(options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->broken, std::vector<std::string>{});
  EXPECT_EQ(result->faults[static_cast<size_t>(FaultKind::kHeartbeatFalseAlarm)], 1u);
}

// Another job that waits in place pops this job's completion, so no later poll finds one.
TEST_F(RunScenarioTest, JobOfAFreedContextMayBeTheLastToEnd) {
  const auto file = scenario::ParseScenario(R"([run]
seed = 1604232945247200767
queue_pairs = 1
depth = 21
notify = "fd"
poll = "always"
jobs = 30
operations = 2
mix = ["aes128_gcm"]
free_context = 0.152
in_place = 0.126
needless_resume = 0.042
faults_end = "4919us"
patience = "2s"
watchdog_interval = "2140us"

[card]
name = "swarm"
source = "drawn"
engines = 3
moderation = { count = 1, time = "0ns" }
health = { heartbeat = "202us", reset = "56us" }
operation.aes128_gcm = { service = { distribution = "uniform", min = "179us", range = "354us" } }

[[card.fault]]
kind = "submit_refused"
probability = 0.062
from = "2047us"
until = "4919us"
)",
                                            "reduced");
  ASSERT_TRUE(file) << file.error().message;
  scenario::ScenarioOptions options = file->options;
  options.notify = load::Notify::kFd;
  bool stuck = false;
  ASSERT_TRUE(scenario::RunScenario(options, {.on_stuck = [&] { stuck = true; }}));
  EXPECT_FALSE(stuck);
}

TEST_F(RunScenarioTest, DescriptorLeftOpenIsABrokenRule) {
  hwsim::UniqueFd left;
  scenario::EventLog log(false);
  log.on_event = [&](const scenario::Event&) {
    if (!left.valid()) left = hwsim::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  };
  const auto result = scenario::RunScenario(Small(), {.log = &log});
  ASSERT_TRUE(result);
  ASSERT_EQ(result->broken.size(), 1u);
  EXPECT_NE(result->broken[0].find("descriptors are open after the run"), std::string::npos)
      << result->broken[0];
}

TEST_F(SwarmTest, SeedsAreNumbersAndCommitHashes) {
  EXPECT_EQ(ParseSeed("42"), 42u);
  EXPECT_EQ(ParseSeed("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(ParseSeed("0x2a"), 42u);
  EXPECT_EQ(ParseSeed("2b349d8"), 0x2b349d8u);
  EXPECT_EQ(ParseSeed("0123456789abcdef0123456789abcdef01234567"), 0x0123456789abcdefu);
  for (const char* text : {"", "0x", "seven", "-1", "2b34", "4.5", "0x123456789abcdef01"}) {
    EXPECT_FALSE(ParseSeed(text)) << text;
  }
}

TEST_F(ScenarioWriteTest, WhatIsWrittenReadsAsTheSame) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    const scenario::ScenarioOptions options = DrawScenario(seed);
    const auto file = scenario::ParseScenario(scenario::ScenarioToml(options), "written");
    ASSERT_TRUE(file) << file.error().message;
    scenario::ScenarioOptions read = file->options;
    read.notify = file->notify.front();
    EXPECT_EQ(scenario::ScenarioToml(read), scenario::ScenarioToml(options));
    if (seed > 20) continue;
    const auto result = scenario::RunScenario(options);
    const auto again = scenario::RunScenario(read);
    ASSERT_EQ(result.has_value(), again.has_value());
    if (result) {
      EXPECT_EQ(again->hash, result->hash);
    }
  }
}

TEST(TryScenarioTest, TellsApartHowARunFails) {
  const ScenarioTrial good = TryScenario(Small(), true).value();
  EXPECT_EQ(good.verdict, Verdict::kGood) << good.what;
  EXPECT_FALSE(good.events.empty());
  const ScenarioTrial broken = TryScenario(Broken(), true).value();
  EXPECT_EQ(broken.verdict, Verdict::kBroken);
  EXPECT_EQ(broken.what,
            "with the faults over and everything ended, an operation ends as device_error");
  ASSERT_FALSE(broken.events.empty());
  EXPECT_EQ(broken.events.back().kind, scenario::EventKind::kBroken);
  const ScenarioTrial stuck = TryScenario(Stuck(), false).value();
  EXPECT_EQ(stuck.verdict, Verdict::kStuck);
  EXPECT_EQ(stuck.what, "not everything had ended 50 ms after the start");
}

TEST(TryScenarioTest, ACardThatDoesNotComeUpIsAnError) {
  scenario::ScenarioOptions options = Small();
  options.card.faults.rules = {{.kind = FaultKind::kInstancesExhausted, .probability = 1}};
  const auto trial = TryScenario(options, false);
  ASSERT_FALSE(trial);
  EXPECT_NE(trial.error().message.find("no instance left"), std::string::npos);
}

TEST(WorkerProcessTest, SaysHowAWorkerDied) {
  auto process = WorkerProcess::Start([](const WorkerReporter& reporter) {
                   reporter.Report("last words");
                   std::abort();
                 }).value();
  std::vector<std::string> lines;
  for (bool ended = false; !ended;) {
    for (std::string& line : process->ReadLines(ended)) lines.push_back(std::move(line));
  }
  EXPECT_EQ(lines, std::vector<std::string>{"last words"});
  EXPECT_EQ(process->Wait(), "signal 6 (Aborted)");
}

TEST(SimulateTest, ExitCodesTellVerdictsApart) {
  EXPECT_EQ(cli::ExitCodeOf(Verdict::kGood), 0);
  EXPECT_EQ(cli::ExitCodeOf(Verdict::kBroken), 3);
  EXPECT_EQ(cli::ExitCodeOf(Verdict::kStuck), 4);
  EXPECT_EQ(cli::ExitCodeOf(Verdict::kCrashed), 5);
}

TEST(SimulateTest, HowManyWorkersAndShardsThereAreChangesNothing) {
  const SimulateReport one = RunSimulate({.seeds = {.first = 1, .last = 60}}).value();
  const SimulateReport three =
      RunSimulate({.seeds = {.first = 1, .last = 60}, .workers = 3}).value();
  EXPECT_FALSE(one.failure) << one.failure->what;
  EXPECT_EQ(one.seeds, 60u);
  EXPECT_EQ(three.hash, one.hash);
  EXPECT_EQ(three.counts, one.counts);
  uint64_t hash = 0;
  uint64_t seeds = 0;
  for (uint64_t shard = 0; shard < 7; ++shard) {
    const SimulateReport part =
        RunSimulate({.seeds = {.first = 1, .last = 60, .shard = shard, .shards = 7}}).value();
    hash += part.hash;
    seeds += part.seeds;
  }
  EXPECT_EQ(hash, one.hash);
  EXPECT_EQ(seeds, 60u);
}

TEST(SimulateTest, ALogThatCannotBeWrittenIsNamed) {
  const auto report = RunSimulate({.seeds = {.first = 1, .last = 1}, .log = "/nowhere/log"});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "/nowhere/log: No such file or directory");
}

TEST(ReduceTest, LeavesWhatTheFailureNeeds) {
  const ScenarioTrial failure = TryScenario(Broken(), false).value();
  const Reduction reduction = Reduce(Broken(), [&](const scenario::ScenarioOptions& options) {
    const auto trial = TryScenario(options, false);
    return trial && FailsAlike(*trial, failure);
  });
  ASSERT_EQ(reduction.options.card.faults.rules.size(), 1u);
  EXPECT_EQ(reduction.options.card.faults.rules[0].kind, FaultKind::kCompletionError);
  EXPECT_EQ(reduction.options.jobs, 1u);
  EXPECT_LT(reduction.options.operations, 8u);
  EXPECT_TRUE(FailsAlike(TryScenario(reduction.options, false).value(), failure));
  EXPECT_LE(reduction.tries, 200u);
}

TEST(RunTraceTest, SlicesBeginAndEnd) {
  scenario::EventLog log(true);
  ASSERT_TRUE(scenario::RunScenario(DrawScenario(7), {.log = &log}));
  const nlohmann::json trace = RunTrace(log.events());
  std::map<uint64_t, int> open;
  std::map<std::string, int> requests;
  double last = 0;
  for (const nlohmann::json& event : trace["traceEvents"]) {
    const std::string phase = event["ph"];
    if (phase == "M") continue;
    EXPECT_GE(event["ts"], last);
    last = event["ts"];
    if (phase == "B") ++open[event["tid"]];
    if (phase == "E") {
      EXPECT_GE(--open[event["tid"]], 0);
    }
    if (phase == "b") ++requests[event["id"]];
    if (phase == "e") --requests[event["id"]];
  }
  EXPECT_FALSE(open.empty());
  EXPECT_FALSE(requests.empty());
  for (const auto& [job, slices] : open) EXPECT_EQ(slices, 0) << "job " << job;
  for (const auto& [request, answers] : requests) EXPECT_EQ(answers, 0) << request;
}

// Skipped under a sanitizer, where this number of seeds takes minutes.
TEST(SimulateTest, SwarmReachesEveryMarkAndFiresEveryFault) {
  if (!text::IsOptimisedBuild())
    GTEST_SKIP() << "3000 seeds take minutes in a build that is not optimised";
  const SimulateReport report =
      RunSimulate({.seeds = {.first = 1, .last = 3000}, .workers = 2}).value();
  ASSERT_FALSE(report.failure) << "SEED=" << report.failure->seed << " " << report.failure->what;
  EXPECT_GE(hwsim::CoverageMarks().size(), 20u);
  for (const hwsim::CoverageMark& mark : hwsim::CoverageMarks()) {
    const auto count = report.counts.find(std::string("reached ") + mark.name);
    ASSERT_NE(count, report.counts.end()) << mark.name;
    EXPECT_GT(count->second, 0u) << mark.name;
  }
  for (const hwsim::faults::FaultForm& form : hwsim::faults::FaultForms()) {
    EXPECT_TRUE(report.counts.contains("fault " + std::string(form.name))) << form.name;
  }
}

}  // namespace
}  // namespace tools::simulate
