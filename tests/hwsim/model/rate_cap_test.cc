#include "hwsim/model/rate_cap.h"

#include <gtest/gtest.h>

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

TimePoint At(Duration since_epoch) { return TimePoint(since_epoch); }

TEST(RateCapTest, ZeroIsNoCap) {
  EXPECT_FALSE(RateCap().capped());
  EXPECT_FALSE(RateCap(0).capped());
  EXPECT_TRUE(RateCap(0.001).capped());
}

TEST(RateCapTest, FractionsOfANanosecondAddUp) {
  RateCap cap(3e8);  // 3.33 ns apart
  cap.Start(At(0ns));
  EXPECT_EQ(cap.next(), At(4ns));  // after 3.33
  cap.Start(At(4ns));
  EXPECT_EQ(cap.next(), At(7ns));  // after 6.67
  for (int i = 0; i < 3'000; ++i) cap.Start(cap.next());
  EXPECT_NEAR(static_cast<double>(cap.next().time_since_epoch().count()), 3'002 / 0.3, 2);
}

TEST(RateCapTest, IdleTimeIsNotSavedUp) {
  RateCap cap(1e6);
  cap.Start(At(0us));
  EXPECT_EQ(cap.next(), At(1us));
  cap.Start(At(1ms));
  EXPECT_EQ(cap.next(), At(1001us));
}

}  // namespace
}  // namespace hwsim::model
