#include "hwsim/model/fault_plan.h"

#include <gtest/gtest.h>

#include <string>

namespace hwsim {
namespace {

FaultInjector Injector(std::vector<FaultRule> rules, FaultSite site = FaultSite::kService,
                       uint64_t seed = 1) {
  return FaultInjector(FaultPlan{.rules = std::move(rules)}, site, Random(seed));
}

// "x" where a fault struck, "." where none did.
std::string Strikes(FaultInjector& injector, int requests,
                    OperationKind operation = OperationKind::kNull, uint32_t queue_pair = 0) {
  std::string strikes;
  for (int i = 0; i < requests; ++i) {
    strikes += injector.At(operation, queue_pair) ? 'x' : '.';
  }
  return strikes;
}

TEST(FaultInjector, EmptyPlanStrikesNobody) {
  FaultInjector injector = Injector({});
  EXPECT_TRUE(injector.empty());
  EXPECT_EQ(Strikes(injector, 5), ".....");
  EXPECT_EQ(injector.fired(), 0u);
}

TEST(FaultInjector, EveryNthStrikesTheNthAndItsMultiples) {
  FaultInjector injector = Injector({{.every_nth = 3}});
  EXPECT_EQ(Strikes(injector, 10), "..x..x..x.");
  EXPECT_EQ(injector.fired(), 3u);
}

TEST(FaultInjector, CountMaxEndsARule) {
  FaultInjector injector = Injector({{.every_nth = 2, .count_max = 2}});
  EXPECT_EQ(Strikes(injector, 10), ".x.x......");
}

TEST(FaultInjector, ProbabilityOneStrikesAlways) {
  FaultInjector injector = Injector({{.probability = 1}});
  EXPECT_EQ(Strikes(injector, 5), "xxxxx");
}

TEST(FaultInjector, ProbabilityIsMet) {
  FaultInjector injector = Injector({{.probability = 0.1}});
  Strikes(injector, 100'000);
  EXPECT_NEAR(static_cast<double>(injector.fired()), 10'000, 300);
}

TEST(FaultInjector, SeedDecidesWhoIsStruck) {
  FaultInjector one = Injector({{.probability = 0.5}}, FaultSite::kService, 1);
  FaultInjector same = Injector({{.probability = 0.5}}, FaultSite::kService, 1);
  FaultInjector other = Injector({{.probability = 0.5}}, FaultSite::kService, 2);
  const std::string strikes = Strikes(one, 64);
  EXPECT_EQ(strikes, Strikes(same, 64));
  EXPECT_NE(strikes, Strikes(other, 64));
}

TEST(FaultInjector, KeepsToItsSite) {
  const std::vector<FaultRule> rules = {{.kind = FaultKind::kSubmitRefused, .every_nth = 1},
                                        {.kind = FaultKind::kCompletionError, .every_nth = 2}};
  FaultInjector submit = Injector(rules, FaultSite::kSubmit);
  FaultInjector service = Injector(rules, FaultSite::kService);
  EXPECT_EQ(submit.At(OperationKind::kCopy, 0), FaultKind::kSubmitRefused);
  EXPECT_EQ(service.At(OperationKind::kCopy, 0), std::nullopt);
  EXPECT_EQ(service.At(OperationKind::kCopy, 0), FaultKind::kCompletionError);
}

TEST(FaultInjector, CountsOnlyTheRequestsItLooksAt) {
  FaultInjector injector = Injector({{.every_nth = 2, .operation = OperationKind::kCopy}});
  EXPECT_EQ(Strikes(injector, 3, OperationKind::kNull), "...");
  EXPECT_EQ(Strikes(injector, 1, OperationKind::kCopy), ".");
  EXPECT_EQ(Strikes(injector, 3, OperationKind::kNull), "...");
  EXPECT_EQ(Strikes(injector, 1, OperationKind::kCopy), "x");
}

TEST(FaultInjector, LooksAtOneQueuePair) {
  FaultInjector injector = Injector({{.every_nth = 1, .queue_pair = 3}});
  EXPECT_EQ(Strikes(injector, 2, OperationKind::kNull, 2), "..");
  EXPECT_EQ(Strikes(injector, 2, OperationKind::kNull, 3), "xx");
}

TEST(FaultInjector, OneFaultForOneRequest) {
  FaultInjector injector = Injector({{.every_nth = 2}, {.every_nth = 3}});
  EXPECT_EQ(Strikes(injector, 6), ".xxx.x");
  EXPECT_EQ(injector.fired(), 4u);
}

TEST(FaultInjector, RuleDoesNotShiftItsNeighboursDraws) {
  const FaultRule half{.probability = 0.5};
  FaultInjector alone = Injector({half});
  FaultInjector first = Injector({half, {.every_nth = 1, .operation = OperationKind::kCopy}});
  EXPECT_EQ(Strikes(alone, 64), Strikes(first, 64));
}

TEST(FaultKind, HasItsNameAndItsSite) {
  EXPECT_EQ(FaultName(FaultKind::kSubmitRefused), "submit_refused");
  EXPECT_EQ(FaultName(FaultKind::kCompletionError), "completion_error");
  EXPECT_EQ(SiteOf(FaultKind::kSubmitRefused), FaultSite::kSubmit);
  EXPECT_EQ(SiteOf(FaultKind::kCompletionError), FaultSite::kService);
}

}  // namespace
}  // namespace hwsim
