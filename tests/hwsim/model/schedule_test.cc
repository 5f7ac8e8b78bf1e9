#include "hwsim/model/schedule.h"

#include <gtest/gtest.h>

#include <memory>

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

TimePoint At(Duration since_epoch) { return TimePoint(since_epoch); }

TEST(ScheduleTest, EmptyHasNoNext) {
  Schedule<int> schedule;
  EXPECT_EQ(schedule.next(), TimePoint::max());
  EXPECT_TRUE(schedule.TakeAll().empty());
}

TEST(ScheduleTest, PopsInOrderOfTimeAndTiesInOrderOfAdd) {
  Schedule<std::unique_ptr<int>> schedule;
  for (const auto& [at, thing] : {std::pair(2us, 1), {1us, 2}, {2us, 3}, {1us, 4}}) {
    schedule.Add(At(at), std::make_unique<int>(thing));
  }
  EXPECT_EQ(schedule.next(), At(1us));
  EXPECT_EQ(*schedule.Pop(), 2);
  EXPECT_EQ(*schedule.Pop(), 4);
  EXPECT_EQ(schedule.next(), At(2us));
  EXPECT_EQ(*schedule.Pop(), 1);
  EXPECT_EQ(*schedule.Pop(), 3);
  EXPECT_EQ(schedule.next(), TimePoint::max());
}

TEST(ScheduleTest, TakeAllKeepsTheOrderAndEmptiesIt) {
  Schedule<int> schedule;
  schedule.Add(At(2us), 1);
  schedule.Add(At(1us), 2);
  EXPECT_EQ(schedule.TakeAll(), (std::vector<int>{2, 1}));
  EXPECT_EQ(schedule.next(), TimePoint::max());
}

}  // namespace
}  // namespace hwsim::model
