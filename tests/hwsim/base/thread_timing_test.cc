#include "hwsim/base/thread_timing.h"

#include <gtest/gtest.h>

namespace hwsim {
namespace {

using namespace std::chrono_literals;

TEST(ToTimespecTest, SplitsSecondsFromNanoseconds) {
  const timespec time = ToTimespec(3s + 999'999'999ns);
  EXPECT_EQ(time.tv_sec, 3);
  EXPECT_EQ(time.tv_nsec, 999'999'999);
}

TEST(ToTimespecTest, NegativeIsZero) {
  const timespec time = ToTimespec(-1ns);
  EXPECT_EQ(time.tv_sec, 0);
  EXPECT_EQ(time.tv_nsec, 0);
}

}  // namespace
}  // namespace hwsim
