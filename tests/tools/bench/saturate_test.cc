#include "tools/bench/saturate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "hwsim/operations/request.h"
#include "tools/load/card_options.h"

namespace tools::bench {
namespace {

TEST(SaturateTest, JainsIndexIsOneForEqualShares) {
  EXPECT_DOUBLE_EQ(JainIndex({5, 5, 5, 5}), 1);
  EXPECT_DOUBLE_EQ(JainIndex({20, 0, 0, 0}), 0.25);
  EXPECT_DOUBLE_EQ(JainIndex({}), 1);
}

TEST(SaturateTest, IdealIsWhatTheModelServes) {
  load::CardOptions card;
  card.profile.service_units = 4;
  card.profile.depth = 64;
  card.profile.cost(hwsim::operations::OperationKind::kNull).service.base =
      std::chrono::microseconds(10);
  EXPECT_NEAR(IdealThroughput(card, hwsim::operations::OperationKind::kNull, 0).value(), 400'000,
              4'000)
      << "limited by the service units";
  card.profile.service_units = 1024;
  card.profile.transit.base = std::chrono::microseconds(90);
  EXPECT_NEAR(IdealThroughput(card, hwsim::operations::OperationKind::kNull, 0).value(), 640'000,
              6'400)
      << "limited by the depth: 64 every 100 us";
  card.profile.cost(hwsim::operations::OperationKind::kNull).rate_per_s_max = 50'000;
  EXPECT_NEAR(IdealThroughput(card, hwsim::operations::OperationKind::kNull, 0).value(), 50'000,
              500)
      << "limited by the rate";
  EXPECT_TRUE(std::isinf(
      IdealThroughput({.profile = {}}, hwsim::operations::OperationKind::kNull, 0).value_or(0)));
}

}  // namespace
}  // namespace tools::bench
