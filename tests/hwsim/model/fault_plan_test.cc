// Which request a rule strikes.
#include "hwsim/model/fault_plan.h"

#include <gtest/gtest.h>

#include <vector>

namespace hwsim {
namespace {

constexpr uint64_t kSeed = 99;
constexpr OperationKind kKind = OperationKind::kSha256;

FaultInjector Service(std::vector<FaultRule> rules, uint64_t seed = kSeed) {
  return FaultInjector({.rules = std::move(rules)}, FaultSite::kService, Random(seed));
}

// Which of `count` requests of one kind are struck, counted from 1.
std::vector<int> Struck(FaultInjector& injector, int count) {
  std::vector<int> struck;
  for (int i = 1; i <= count; ++i) {
    if (injector.At(kKind, 0)) struck.push_back(i);
  }
  return struck;
}

TEST(FaultInjectorTest, EmptyPlanStrikesNothing) {
  FaultInjector injector = Service({});
  EXPECT_TRUE(injector.empty());
  EXPECT_TRUE(Struck(injector, 100).empty());
  EXPECT_EQ(injector.fired(), 0u);
}

TEST(FaultInjectorTest, EveryNthStrikesTheNthAndItsMultiples) {
  FaultInjector injector = Service({{.every_nth = 3}});
  EXPECT_EQ(Struck(injector, 10), (std::vector<int>{3, 6, 9}));
  EXPECT_EQ(injector.fired(), 3u);
}

TEST(FaultInjectorTest, EveryFirstStrikesAll) {
  FaultInjector injector = Service({{.every_nth = 1}});
  EXPECT_EQ(Struck(injector, 4), (std::vector<int>{1, 2, 3, 4}));
}

TEST(FaultInjectorTest, ProbabilityIsTheShareOfRequestsStruck) {
  FaultInjector injector = Service({{.probability = 0.1}});
  EXPECT_NEAR(static_cast<double>(Struck(injector, 100'000).size()), 10'000, 300)
      << "seed " << kSeed;
}

TEST(FaultInjectorTest, ProbabilityOfOneStrikesAll) {
  FaultInjector injector = Service({{.probability = 1}});
  EXPECT_EQ(Struck(injector, 1000).size(), 1000u);
}

TEST(FaultInjectorTest, CountMaxEndsARule) {
  FaultInjector injector = Service({{.every_nth = 2, .count_max = 2}});
  EXPECT_EQ(Struck(injector, 100), (std::vector<int>{2, 4}));
  EXPECT_EQ(injector.fired(), 2u);
}

TEST(FaultInjectorTest, OperationFilterLooksAtNothingElse) {
  FaultInjector injector = Service({{.every_nth = 2, .operation = OperationKind::kCopy}});
  EXPECT_FALSE(injector.At(OperationKind::kCopy, 0));
  EXPECT_FALSE(injector.At(OperationKind::kSha256, 0));  // does not count either
  EXPECT_TRUE(injector.At(OperationKind::kCopy, 0));
}

TEST(FaultInjectorTest, QueuePairFilterLooksAtNothingElse) {
  FaultInjector injector = Service({{.every_nth = 2, .queue_pair = 1}});
  EXPECT_FALSE(injector.At(kKind, 1));
  EXPECT_FALSE(injector.At(kKind, 0));
  EXPECT_TRUE(injector.At(kKind, 1));
}

TEST(FaultInjectorTest, BothFiltersHaveToMatch) {
  FaultInjector injector =
      Service({{.every_nth = 1, .operation = OperationKind::kCopy, .queue_pair = 1}});
  EXPECT_FALSE(injector.At(OperationKind::kCopy, 0));
  EXPECT_FALSE(injector.At(OperationKind::kSha256, 1));
  EXPECT_TRUE(injector.At(OperationKind::kCopy, 1));
}

TEST(FaultInjectorTest, RulesOfAnotherSiteAreLeftOut) {
  const FaultPlan plan{.rules = {{.kind = FaultKind::kSubmitRefused, .every_nth = 1}}};
  FaultInjector service(plan, FaultSite::kService, Random(kSeed));
  EXPECT_TRUE(service.empty());
  EXPECT_FALSE(service.At(kKind, 0));
  FaultInjector submit(plan, FaultSite::kSubmit, Random(kSeed));
  EXPECT_FALSE(submit.empty());
  EXPECT_EQ(submit.At(kKind, 0), FaultKind::kSubmitRefused);
}

TEST(FaultInjectorTest, FirstRuleThatFiresWins) {
  // Both fire for the sixth: it is the first rule's, and the second keeps its one shot.
  FaultInjector injector = Service({{.every_nth = 2}, {.every_nth = 3, .count_max = 2}});
  EXPECT_EQ(Struck(injector, 10), (std::vector<int>{2, 3, 4, 6, 8, 9, 10}));
  EXPECT_EQ(injector.fired(), 7u);
}

TEST(FaultInjectorTest, RuleThatHasEndedLetsTheNextOneFire) {
  FaultInjector injector = Service({{.every_nth = 1, .count_max = 1}, {.every_nth = 2}});
  EXPECT_EQ(Struck(injector, 6), (std::vector<int>{1, 2, 4, 6}));
}

TEST(FaultInjectorTest, SameSeedStrikesTheSame) {
  FaultInjector one = Service({{.probability = 0.3}});
  FaultInjector other = Service({{.probability = 0.3}});
  EXPECT_EQ(Struck(one, 1000), Struck(other, 1000));
}

TEST(FaultInjectorTest, OtherSeedStrikesOthers) {
  FaultInjector one = Service({{.probability = 0.3}}, 1);
  FaultInjector other = Service({{.probability = 0.3}}, 2);
  EXPECT_NE(Struck(one, 1000), Struck(other, 1000));
}

// Two rules once drew from one stream: requests that only the one looked at moved the other's.
TEST(FaultInjectorTest, DrawsOfARuleDoNotDependOnRequestsItDoesNotLookAt) {
  const std::vector<FaultRule> rules = {{.probability = 0.3, .operation = OperationKind::kCopy},
                                        {.probability = 0.3, .operation = kKind}};
  FaultInjector alone = Service(rules);
  FaultInjector mixed = Service(rules);
  for (int i = 0; i < 1000; ++i) {
    if (i % 3 == 0) mixed.At(OperationKind::kCopy, 0);
    ASSERT_EQ(alone.At(kKind, 0), mixed.At(kKind, 0)) << "request " << i << ", seed " << kSeed;
  }
}

TEST(FaultInjectorTest, RulesAreNotCorrelated) {
  // Alike but for their place: the second strikes 30 % of what the first let pass, not none of it.
  FaultInjector injector = Service({{.probability = 0.3}, {.probability = 0.3}});
  EXPECT_NEAR(static_cast<double>(Struck(injector, 100'000).size()), 51'000, 700)
      << "seed " << kSeed;
}

TEST(FaultKindTest, EachHasItsNameAndSite) {
  EXPECT_EQ(FaultName(FaultKind::kSubmitRefused), "submit_refused");
  EXPECT_EQ(FaultName(FaultKind::kCompletionError), "completion_error");
  EXPECT_EQ(SiteOf(FaultKind::kSubmitRefused), FaultSite::kSubmit);
  EXPECT_EQ(SiteOf(FaultKind::kCompletionError), FaultSite::kService);
}

}  // namespace
}  // namespace hwsim
