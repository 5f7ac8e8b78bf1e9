#include "hwsim/card/pacer.h"

#include <gtest/gtest.h>

namespace hwsim::card {
namespace {

using std::chrono::microseconds;

TEST(PacerTest, MarginSettlesAboveMostSleepsAndBelowTheRareOnes) {
  Pacer pacer;
  for (int i = 0; i < 20'000; ++i) {
    // One sleep in a hundred takes much longer than the rest.
    pacer.Overslept(i % 100 == 0 ? microseconds(150) : microseconds(20 + i % 10));
  }
  EXPECT_GE(pacer.margin(), microseconds(28));
  EXPECT_LE(pacer.margin(), microseconds(60));
}

TEST(PacerTest, FollowsAMachineThatBecomesSlowerAndFasterAgain) {
  Pacer pacer;
  for (int i = 0; i < 1000; ++i) pacer.Overslept(microseconds(100));
  EXPECT_GE(pacer.margin(), microseconds(95));
  for (int i = 0; i < 1000; ++i) pacer.Overslept(microseconds(10));
  EXPECT_LE(pacer.margin(), microseconds(15));
}

TEST(PacerTest, NeitherSpinNorMarginLeavesItsBounds) {
  Pacer pacer;
  for (int i = 0; i < 5000; ++i) pacer.Overslept(std::chrono::seconds(1));
  EXPECT_LE(pacer.margin(), microseconds(200));
  EXPECT_LE(pacer.spin(), microseconds(50));
  for (int i = 0; i < 5000; ++i) pacer.Overslept(Duration::zero());
  EXPECT_GE(pacer.margin(), microseconds(5));
  EXPECT_GT(pacer.spin(), Duration::zero());
}

}  // namespace
}  // namespace hwsim::card
