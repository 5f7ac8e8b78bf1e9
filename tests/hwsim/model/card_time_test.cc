#include "hwsim/model/card_time.h"

#include <gtest/gtest.h>

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

TimePoint At(Duration since_epoch) { return TimePoint(since_epoch); }

TEST(CardTimeTest, RunsWithTheWorldUntilTheCardHangs) {
  const CardTime time;
  EXPECT_FALSE(time.frozen());
  EXPECT_EQ(time.frozen_since(), std::nullopt);
  EXPECT_EQ(time.FromWorld(At(5us)), At(5us));
  EXPECT_EQ(time.ToWorld(At(5us)), At(5us));
}

TEST(CardTimeTest, StandsStillWhileTheCardHangs) {
  CardTime time;
  time.Freeze(At(10us));
  EXPECT_TRUE(time.frozen());
  EXPECT_EQ(time.frozen_since(), At(10us));
  EXPECT_EQ(time.FromWorld(At(10us)), At(10us));
  EXPECT_EQ(time.FromWorld(At(1s)), At(10us));
}

TEST(CardTimeTest, IsBehindTheWorldByAllHangsThatAreOver) {
  CardTime time;
  time.Freeze(At(10us));
  time.Thaw(At(15us));
  EXPECT_FALSE(time.frozen());
  EXPECT_EQ(time.FromWorld(At(15us)), At(10us));
  EXPECT_EQ(time.ToWorld(At(10us)), At(15us));
  time.Freeze(At(20us));
  EXPECT_EQ(time.FromWorld(At(30us)), At(15us));
  time.Thaw(At(22us));
  EXPECT_EQ(time.FromWorld(At(30us)), At(23us));
  EXPECT_EQ(time.ToWorld(At(23us)), At(30us));
}

}  // namespace
}  // namespace hwsim::model
