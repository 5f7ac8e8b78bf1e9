// Which request a rule strikes.
#include "hwsim/faults/fault_injector.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "hwsim/faults/fault_log.h"

namespace hwsim::faults {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kSeed = 99;
constexpr operations::OperationKind kKind = operations::OperationKind::kSha256;

FaultInjector Arriving(std::vector<FaultRule> rules, uint64_t seed = kSeed) {
  return FaultInjector({.rules = std::move(rules)}, FaultSite::kArrival, Random(seed));
}

// Which of `count` requests of one kind are struck, counted from 1.
std::vector<int> Struck(FaultInjector& injector, int count) {
  std::vector<int> struck;
  for (int i = 1; i <= count; ++i) {
    if (injector.At({.operation = kKind, .queue_pair = 0})) struck.push_back(i);
  }
  return struck;
}

TEST(FaultInjectorTest, EmptyPlanStrikesNothing) {
  FaultInjector injector = Arriving({});
  EXPECT_TRUE(injector.empty());
  EXPECT_TRUE(Struck(injector, 100).empty());
  EXPECT_EQ(injector.fired(), 0u);
}

TEST(FaultInjectorTest, EveryNthStrikesTheNthAndItsMultiples) {
  FaultInjector injector = Arriving({{.every_nth = 3}});
  EXPECT_EQ(Struck(injector, 10), (std::vector<int>{3, 6, 9}));
  EXPECT_EQ(injector.fired(), 3u);
}

TEST(FaultInjectorTest, EveryFirstStrikesAll) {
  FaultInjector injector = Arriving({{.every_nth = 1}});
  EXPECT_EQ(Struck(injector, 4), (std::vector<int>{1, 2, 3, 4}));
}

TEST(FaultInjectorTest, ProbabilityIsTheShareOfRequestsStruck) {
  FaultInjector injector = Arriving({{.probability = 0.1}});
  EXPECT_NEAR(static_cast<double>(Struck(injector, 100'000).size()), 10'000, 300)
      << "seed " << kSeed;
}

TEST(FaultInjectorTest, ProbabilityOfOneStrikesAll) {
  FaultInjector injector = Arriving({{.probability = 1}});
  EXPECT_EQ(Struck(injector, 1000).size(), 1000u);
}

TEST(FaultInjectorTest, CountMaxEndsARule) {
  FaultInjector injector = Arriving({{.every_nth = 2, .count_max = 2}});
  EXPECT_EQ(Struck(injector, 100), (std::vector<int>{2, 4}));
  EXPECT_EQ(injector.fired(), 2u);
}

TEST(FaultInjectorTest, OperationFilterLooksAtNothingElse) {
  FaultInjector injector =
      Arriving({{.every_nth = 2, .operation = operations::OperationKind::kCopy}});
  EXPECT_FALSE(injector.At({.operation = operations::OperationKind::kCopy, .queue_pair = 0}));
  EXPECT_FALSE(injector.At({.operation = operations::OperationKind::kSha256,
                            .queue_pair = 0}));  // does not count either
  EXPECT_TRUE(injector.At({.operation = operations::OperationKind::kCopy, .queue_pair = 0}));
}

TEST(FaultInjectorTest, QueuePairFilterLooksAtNothingElse) {
  FaultInjector injector = Arriving({{.every_nth = 2, .queue_pair = 1}});
  EXPECT_FALSE(injector.At({.operation = kKind, .queue_pair = 1}));
  EXPECT_FALSE(injector.At({.operation = kKind, .queue_pair = 0}));
  EXPECT_TRUE(injector.At({.operation = kKind, .queue_pair = 1}));
}

TEST(FaultInjectorTest, BothFiltersHaveToMatch) {
  FaultInjector injector =
      Arriving({{.every_nth = 1, .operation = operations::OperationKind::kCopy, .queue_pair = 1}});
  EXPECT_FALSE(injector.At({.operation = operations::OperationKind::kCopy, .queue_pair = 0}));
  EXPECT_FALSE(injector.At({.operation = operations::OperationKind::kSha256, .queue_pair = 1}));
  EXPECT_TRUE(injector.At({.operation = operations::OperationKind::kCopy, .queue_pair = 1}));
}

TEST(FaultInjectorTest, RulesOfAnotherSiteAreLeftOut) {
  const FaultPlan plan{.rules = {{.kind = FaultKind::kSubmitRefused, .every_nth = 1}}};
  FaultInjector service(plan, FaultSite::kArrival, Random(kSeed));
  EXPECT_TRUE(service.empty());
  EXPECT_FALSE(service.At({.operation = kKind, .queue_pair = 0}));
  FaultInjector submit(plan, FaultSite::kSubmit, Random(kSeed));
  EXPECT_FALSE(submit.empty());
  EXPECT_EQ(submit.At({.operation = kKind})->kind, FaultKind::kSubmitRefused);
}

TEST(FaultInjectorTest, FirstRuleThatFiresWins) {
  // Both fire for the sixth: it is the first rule's, and the second keeps its one shot.
  FaultInjector injector = Arriving({{.every_nth = 2}, {.every_nth = 3, .count_max = 2}});
  EXPECT_EQ(Struck(injector, 10), (std::vector<int>{2, 3, 4, 6, 8, 9, 10}));
  EXPECT_EQ(injector.fired(), 7u);
}

TEST(FaultInjectorTest, RuleThatHasEndedLetsTheNextOneFire) {
  FaultInjector injector = Arriving({{.every_nth = 1, .count_max = 1}, {.every_nth = 2}});
  EXPECT_EQ(Struck(injector, 6), (std::vector<int>{1, 2, 4, 6}));
}

TEST(FaultInjectorTest, SameSeedStrikesTheSame) {
  FaultInjector one = Arriving({{.probability = 0.3}});
  FaultInjector other = Arriving({{.probability = 0.3}});
  EXPECT_EQ(Struck(one, 1000), Struck(other, 1000));
}

TEST(FaultInjectorTest, OtherSeedStrikesOthers) {
  FaultInjector one = Arriving({{.probability = 0.3}}, 1);
  FaultInjector other = Arriving({{.probability = 0.3}}, 2);
  EXPECT_NE(Struck(one, 1000), Struck(other, 1000));
}

// Two rules once drew from one stream: requests that only the one looked at moved the other's.
TEST(FaultInjectorTest, DrawsOfARuleDoNotDependOnRequestsItDoesNotLookAt) {
  const std::vector<FaultRule> rules = {
      {.probability = 0.3, .operation = operations::OperationKind::kCopy},
      {.probability = 0.3, .operation = kKind}};
  FaultInjector alone = Arriving(rules);
  FaultInjector mixed = Arriving(rules);
  for (int i = 0; i < 1000; ++i) {
    if (i % 3 == 0) mixed.At({.operation = operations::OperationKind::kCopy, .queue_pair = 0});
    ASSERT_EQ(alone.At({.operation = kKind}).has_value(),
              mixed.At({.operation = kKind}).has_value())
        << "request " << i << ", seed " << kSeed;
  }
}

TEST(FaultInjectorTest, RulesAreNotCorrelated) {
  // Alike but for their place: the second strikes 30 % of what the first let pass, not none of it.
  FaultInjector injector = Arriving({{.probability = 0.3}, {.probability = 0.3}});
  EXPECT_NEAR(static_cast<double>(Struck(injector, 100'000).size()), 51'000, 700)
      << "seed " << kSeed;
}

TEST(FaultInjectorTest, NthStrikesOnce) {
  FaultInjector injector = Arriving({{.nth = 3}});
  EXPECT_EQ(Struck(injector, 10), (std::vector<int>{3}));
}

TEST(FaultInjectorTest, InFlightMinIsTriggerEnoughAndOthersDoNotCount) {
  FaultInjector injector = Arriving({{.in_flight_min = 4}});
  FaultInjector second = Arriving({{.nth = 2, .in_flight_min = 4}});
  for (uint32_t in_flight : {1u, 4u, 3u, 5u, 4u}) {
    EXPECT_EQ(injector.At({.in_flight = in_flight}).has_value(), in_flight >= 4);
    EXPECT_EQ(second.At({.in_flight = in_flight}).has_value(), in_flight == 5);
  }
}

constexpr TimePoint kStart{std::chrono::hours(7)};

FaultInjector Timed(FaultRule rule) {
  return FaultInjector({.rules = {rule}}, SiteOf(rule.kind), Random(kSeed), kStart);
}

TEST(FaultInjectorTest, WindowCountsFromTheStartAndEndsBeforeUntil) {
  FaultInjector injector = Timed({.from = milliseconds(2), .until = milliseconds(4)});
  EXPECT_TRUE(injector.looks_at_time());
  for (int ms = 0; ms < 6; ++ms) {
    EXPECT_EQ(injector.At({.now = kStart + milliseconds(ms)}).has_value(), ms == 2 || ms == 3);
  }
}

TEST(FaultInjectorTest, AtStrikesTheFirstThen) {
  FaultInjector injector = Timed({.at = milliseconds(2)});
  for (int ms : {0, 1, 3, 3, 4}) {
    const bool first = ms == 3 && injector.fired() == 0;
    EXPECT_EQ(injector.At({.now = kStart + milliseconds(ms)}).has_value(), first);
  }
  EXPECT_EQ(injector.fired(), 1u);
}

TEST(FaultInjectorTest, CardWideFaultAtATimeIsTheClocksAndNotARequests) {
  EXPECT_TRUE(Timed({.kind = FaultKind::kCardReset, .at = milliseconds(2)}).empty());
  EXPECT_FALSE(Timed({.kind = FaultKind::kCardReset, .nth = 2}).empty());
}

TEST(FaultInjectorTest, FaultHasItsPlaceAndItsParametersFilledIn) {
  const std::vector<FaultRule> rules = {
      {.kind = FaultKind::kSubmitRefused, .nth = 1},
      {.kind = FaultKind::kWakeUp, .nth = 1, .time = milliseconds(3)},
      {.kind = FaultKind::kThrottled, .nth = 2, .factor = 1.5}};
  FaultInjector injector = Arriving(rules);
  const Fault wake_up = injector.At({.idle = Duration::zero()}).value();
  EXPECT_EQ(wake_up.kind, FaultKind::kWakeUp);
  EXPECT_EQ(wake_up.rule, 1u);
  EXPECT_EQ(wake_up.time, milliseconds(3));
  const Fault throttled = injector.At({}).value();
  EXPECT_EQ(throttled.rule, 2u);
  EXPECT_EQ(throttled.time, *FormOf(FaultKind::kThrottled).time);
  EXPECT_EQ(throttled.factor, 1.5);
}

TEST(FaultInjectorTest, WakeUpLooksOnlyAtWhoFindsTheCardIdleForSoLong) {
  FaultInjector injector =
      Arriving({{.kind = FaultKind::kWakeUp, .every_nth = 1, .idle = milliseconds(2)}});
  EXPECT_FALSE(injector.At({}));
  EXPECT_FALSE(injector.At({.idle = milliseconds(1)}));
  EXPECT_TRUE(injector.At({.idle = milliseconds(2)}));
}

TEST(FaultInjectorTest, DrawsOfOneRuleDiffer) {
  FaultInjector injector = Arriving({{.kind = FaultKind::kWrongResult, .every_nth = 1}});
  const uint64_t first = injector.At({})->draw;
  EXPECT_NE(first, injector.At({})->draw);
}

TEST(FaultFormTest, EachKindIsFoundByItsPlace) {
  for (const FaultForm& form : FaultForms()) {
    EXPECT_EQ(FormOf(form.kind).name, form.name);
    EXPECT_EQ(FaultName(form.kind), form.name);
    EXPECT_EQ(SiteOf(form.kind), form.site);
  }
  EXPECT_EQ(FaultForms().size(), kFaultKindCount);
}

TEST(FaultPlanTest, KnowsWhereItStrikes) {
  const FaultPlan plan{.rules = {{.kind = FaultKind::kInterruptLost, .nth = 1}}};
  EXPECT_TRUE(plan.Has(FaultSite::kInterrupt));
  EXPECT_FALSE(plan.Has(FaultSite::kArrival));
  EXPECT_TRUE(plan.Has(FaultKind::kInterruptLost));
  EXPECT_FALSE(plan.Has(FaultKind::kInterruptLate));
}

TEST(FaultLogTest, KeepsTheOrderAndCounts) {
  FaultLog log;
  log.Append({.kind = FaultKind::kCompletionError,
              .rule = 1,
              .at = kStart + std::chrono::nanoseconds(1500),
              .queue_pair = 2,
              .request = 7,
              .operation = operations::OperationKind::kSha256});
  log.Append({.kind = FaultKind::kCardReset, .at = kStart + milliseconds(1)});
  EXPECT_EQ(log.Text(kStart),
            "1500ns completion_error rule 1, queue pair 2, request 7 (sha256)\n"
            "1000000ns card_reset rule 0\n");
  EXPECT_EQ(log.total(), 2u);
  EXPECT_EQ(log.count(FaultKind::kCardReset), 1u);
  EXPECT_EQ(log.count(FaultKind::kCardHang), 0u);
  EXPECT_EQ(log.Events().size(), 2u);
  EXPECT_EQ(log.Events(1).front().kind, FaultKind::kCardReset);
  EXPECT_TRUE(log.Events(2).empty());
}

}  // namespace
}  // namespace hwsim::faults
