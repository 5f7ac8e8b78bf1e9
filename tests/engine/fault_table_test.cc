// Each kind of fault, by each trigger, told by fd and by callback: what the application sees, and
// that each run ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/testing/fault_sweep.h"
#include "tools/load/notify.h"
#include "tools/scenario/scenario.h"

namespace engine {
namespace {

using namespace std::chrono_literals;
using enum hwsim::faults::FaultKind;
using hwsim::faults::FaultKind;
using hwsim::faults::FaultRule;
using tools::load::Notify;
using tools::scenario::ScenarioOptions;
using tools::scenario::ScenarioPoll;
using tools::scenario::ScenarioResult;
using Names = std::set<std::string>;

constexpr uint64_t kRuns = 64;

// Two queue pairs and two service units, 500 us per operation: without faults it takes 16 ms.
ScenarioOptions Base(Notify notify, const FaultRule& rule) {
  ScenarioOptions options;
  options.card.service_units = 2;
  options.card.cost(hwsim::operations::OperationKind::kSha256).service.base = 500us;
  options.card.transit.base = 5us;
  options.card.health = {.heartbeat = 1ms, .reset = 2ms};
  options.card.faults.rules = {rule};
  options.queue_pairs = 2;
  options.depth = 8;
  options.engine.watchdog_interval = 5ms;
  options.engine.time_limit = 40ms;
  options.engine.health = {.heartbeat_interval = 2ms, .stuck_limit = 50ms};
  options.notify = notify;
  options.poll = ScenarioPoll::kOnInterrupt;
  // Four jobs would keep the card busy, and a wake_up fault strikes an idle card only.
  options.jobs = rule.kind == kWakeUp ? 2 : 4;
  options.operations = kRuns / options.jobs;
  EXPECT_TRUE(options.card.Validate());
  return options;
}

constexpr Recovery kAllRecovery{
    .attempts_max = 3, .wait_for_restart = true, .software_fallback = true};

struct Trigger {
  const char* name;
  void (*set)(FaultRule& rule);
};
constexpr Trigger kTriggers[] = {
    {"probability", [](FaultRule& rule) { rule.probability = 0.2; }},
    {"every_nth", [](FaultRule& rule) { rule.every_nth = 5; }},
    {"nth", [](FaultRule& rule) { rule.nth = 3; }},
    {"at", [](FaultRule& rule) { rule.at = 3ms; }},
    {"in_flight",
     [](FaultRule& rule) {
       rule.in_flight_min = 2;
       rule.count_max = 2;
     }},
    {"window",
     [](FaultRule& rule) {
       rule.from = 2ms;
       rule.until = 6ms;
     }},
    {"operation",
     [](FaultRule& rule) {
       rule.every_nth = 7;
       rule.operation = hwsim::operations::OperationKind::kSha256;
     }},
    {"queue_pair",
     [](FaultRule& rule) {
       rule.nth = 2;
       rule.queue_pair = 1;
     }},
    {"count_max",
     [](FaultRule& rule) {
       rule.every_nth = 1;
       rule.count_max = 2;
     }},
};

struct Row {
  FaultKind kind;
  // How runs may end, besides with "ok".
  Names outcomes;
  // How runs may end when the engine uses every kind of recovery, besides with "ok".
  Names recovered;
  // The count of ScenarioResult that is not 0 after a strike, told by fd and by callback. "": no
  // count shows the fault. "-": the fault cannot strike.
  const char* seen_by_fd;
  const char* seen_by_callback;
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      // A slot is free at once. By fd, the engine takes it without pausing the job.
      {kRingFull, {}, {}, "", "again"},
      {kBatchCut, {}, {}, "-", "-"},  // the engine submits no lists
      {kSubmitRefused, {"refused"}, {}, "err", "err"},
      {kCompletionError, {"device_error"}, {}, "device_error", "device_error"},
      {kWrongResult, {"wrong"}, {"wrong"}, "wrong", "wrong"},
      {kVerdictInverted, {"failed"}, {"failed"}, "failed", "failed"},
      // The card returns the dropped request only with a reset, which fails other requests too.
      {kResponseDropped,
       {"timed_out", "device_error", "refused"},
       {"timed_out"},
       "timed_out",
       "timed_out"},
      {kResponseDelayed, {}, {}, "", ""},
      {kResponseDuplicated, {}, {}, "", ""},
      {kResponseReordered, {}, {}, "", ""},
      {kResponseRingStalled, {}, {}, "", ""},
      {kSlowInstance, {}, {}, "", ""},
      {kWakeUp, {}, {}, "", ""},
      {kThrottled, {}, {}, "", ""},
      {kCardHang, {"device_error", "refused"}, {}, "resets", "resets"},
      {kHeartbeatFalseAlarm, {}, {}, "false_alarms", "false_alarms"},
      {kCardReset, {"device_error", "refused"}, {}, "device_error", "device_error"},
      {kCardLost, {"device_error", "refused"}, {}, "err", "err"},
      {kInstancesExhausted, {}, {}, "", ""},
      {kInterruptLost, {}, {}, "", ""},
      {kInterruptLate, {}, {}, "", ""},
      {kInterruptSpurious, {}, {}, "", ""},
      {kInterruptDuplicated, {}, {}, "", ""},
      {kInterruptCoalesced, {}, {}, "", ""},
      {kWaitFdEarly, {}, {}, "spurious", "-"},
      {kWaitFdTwice, {}, {}, "spurious", "-"},
      {kWaitFdLost, {}, {}, "told_again", "-"},
      {kCallbackWorstMoment, {}, {}, "-", "callbacks"},
  };
  return rows;
}

TEST(FaultTableTest, HasARowForEachKind) {
  ASSERT_EQ(Rows().size(), hwsim::faults::kFaultKindCount);
  for (size_t i = 0; i < Rows().size(); ++i) {
    EXPECT_EQ(Rows()[i].kind, static_cast<FaultKind>(i));
  }
}

// Each run ended, with "ok" or one of `outcomes`.
void ExpectEnds(const ScenarioResult& result, const Names& outcomes) {
  EXPECT_TRUE(result.broken.empty()) << testing::PrintToString(result.broken);
  EXPECT_EQ(result.count("stuck"), 0u) << result.fault_log;
  EXPECT_EQ(result.count("left_on_card"), 0u) << "requests that the card did not return";
  for (const char* name :
       {"wrong", "failed", "device_error", "refused", "timed_out", "cancelled", "busy"}) {
    if (outcomes.count(name) == 0) {
      EXPECT_EQ(result.count(name), 0u) << name << "\n" << result.fault_log;
    }
  }
  if (outcomes.empty()) {
    EXPECT_EQ(result.count("ok"), kRuns);
  }
}

struct Case {
  Row row;
  Trigger trigger;
  Notify notify;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const Row& row : Rows()) {
    for (const Trigger& trigger : kTriggers) {
      for (const Notify notify : {Notify::kFd, Notify::kCallback}) {
        cases.push_back({row, trigger, notify});
      }
    }
  }
  return cases;
}

class FaultTableTest : public testing::TestWithParam<Case> {
 protected:
  static ScenarioOptions Options() {
    FaultRule rule{.kind = GetParam().row.kind};
    GetParam().trigger.set(rule);
    // Longer than the engine's heartbeat interval, so that the engine sees the alarm.
    if (rule.kind == kHeartbeatFalseAlarm) rule.time = 10ms;
    // Short enough that no run times out.
    if (rule.kind == kCardReset) rule.time = 2ms;
    return Base(GetParam().notify, rule);
  }
  static ScenarioResult Run(const ScenarioOptions& options) {
    return tools::scenario::RunScenario(options).value();
  }
  static bool Strikes(const ScenarioResult& result) { return result.count("faults") != 0; }
};

TEST_P(FaultTableTest, ApplicationSeesWhatTheTableSaysAndEachRunEnds) {
  const ScenarioOptions options = Options();
  const auto result = tools::scenario::RunScenario(options);
  if (!result) {
    // A card is not made when none of its queue pairs can be opened.
    EXPECT_EQ(GetParam().row.kind, kInstancesExhausted) << result.error().message;
    return;
  }
  ExpectEnds(*result, GetParam().row.outcomes);
  const std::string seen = GetParam().notify == Notify::kFd ? GetParam().row.seen_by_fd
                                                            : GetParam().row.seen_by_callback;
  if (seen == "-") {
    EXPECT_FALSE(Strikes(*result)) << result->fault_log;
  } else if (!seen.empty() && Strikes(*result)) {
    EXPECT_GT(result->count(seen), 0u) << result->fault_log;
  }
  // A second run gives the same result.
  const ScenarioResult again = Run(options);
  EXPECT_EQ(again.counts, result->counts);
  EXPECT_EQ(again.fault_log, result->fault_log);
  EXPECT_EQ(again.took, result->took);
}

TEST_P(FaultTableTest, EngineRecovers) {
  ScenarioOptions options = Options();
  options.engine.recovery = kAllRecovery;
  // Long enough for a card that hangs at every fifth request.
  options.engine.time_limit = 400ms;
  const auto result = tools::scenario::RunScenario(options);
  if (!result) return;
  ExpectEnds(*result, GetParam().row.recovered);
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  return std::string(hwsim::faults::FaultName(info.param.row.kind)) + "_by_" +
         info.param.trigger.name + "_told_by_" +
         std::string(tools::load::NotifyName(info.param.notify));
}
INSTANTIATE_TEST_SUITE_P(All, FaultTableTest, testing::ValuesIn(Cases()), CaseName);

// The tests above would pass too if no fault struck. Here each trigger has to strike.
TEST(FaultTriggerTest, EachStrikesWhereItCan) {
  for (const Row& row : Rows()) {
    const hwsim::faults::FaultSite site = hwsim::faults::SiteOf(row.kind);
    const Notify notify = std::string(row.seen_by_fd) == "-" ? Notify::kCallback : Notify::kFd;
    for (const Trigger& trigger : kTriggers) {
      SCOPED_TRACE(std::string(hwsim::faults::FaultName(row.kind)) + " by " + trigger.name);
      if (site == hwsim::faults::FaultSite::kList || site == hwsim::faults::FaultSite::kOpen)
        continue;
      FaultRule rule{.kind = row.kind};
      trigger.set(rule);
      const ScenarioResult result = tools::scenario::RunScenario(Base(notify, rule)).value();
      // "in_flight" needs a second request in flight, which some faults never meet. A wake_up needs
      // an idle card, which the second request of queue pair 1 need not find.
      const std::string name = trigger.name;
      const bool may_not = name == "in_flight" || (row.kind == kWakeUp && name == "queue_pair");
      if (!may_not) {
        EXPECT_GT(result.count("faults"), 0u);
      }
      // Each queue pair counts its own submits.
      const uint64_t counters =
          site == hwsim::faults::FaultSite::kSubmit && !rule.queue_pair ? 2 : 1;
      if (rule.count_max != 0) {
        EXPECT_LE(result.count("faults"), rule.count_max * counters);
      }
      if (rule.nth != 0 || rule.at) {
        EXPECT_LE(result.count("faults"), counters);
      }
    }
  }
}

// Only the Nth pass is struck, for each N that a small scenario has.
TEST(FaultSweepTest, EachRunEndsWhicheverRequestIsStruck) {
  for (const Row& row : Rows()) {
    for (const Notify notify : {Notify::kFd, Notify::kCallback}) {
      SCOPED_TRACE(std::string(hwsim::faults::FaultName(row.kind)) + " told by " +
                   std::string(tools::load::NotifyName(notify)));
      FaultRule fault{.kind = row.kind};
      if (row.kind == kCardReset) fault.time = 2ms;
      const uint64_t places = hwsim::testing::SweepNth(fault, [&](const FaultRule& rule) {
        SCOPED_TRACE("nth = " + std::to_string(rule.nth));
        const auto result = tools::scenario::RunScenario(Base(notify, rule));
        if (!result) return uint64_t{1};
        ExpectEnds(*result, row.outcomes);
        return result->count("faults");
      });
      const std::string seen = notify == Notify::kFd ? row.seen_by_fd : row.seen_by_callback;
      const hwsim::faults::FaultSite site = hwsim::faults::SiteOf(row.kind);
      if (seen == "-") {
        EXPECT_EQ(places, 0u);
      } else if (site == hwsim::faults::FaultSite::kOpen) {
        EXPECT_EQ(places, 2u);
      } else if (site == hwsim::faults::FaultSite::kSubmit ||
                 site == hwsim::faults::FaultSite::kInterrupt) {
        EXPECT_GT(places, kRuns / 4)
            << "a rule counts the submits of one queue pair, and requests share interrupts";
      } else if (row.kind != kWakeUp) {
        EXPECT_EQ(places, kRuns);
      }
    }
  }
}

}  // namespace
}  // namespace engine
