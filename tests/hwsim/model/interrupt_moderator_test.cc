#include "hwsim/model/interrupt_moderator.h"

#include <gtest/gtest.h>

#include "hwsim/base/clock.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

TimePoint At(Duration since_epoch) { return TimePoint(since_epoch); }

constexpr TimePoint kNever = InterruptModerator::kNever;

TEST(InterruptModeratorTest, LineRisesWithEachCompletionByDefault) {
  InterruptModerator moderator(Moderation{}, 1);
  EXPECT_TRUE(moderator.on());
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(moderator.Completed(0, At(1us)));
    EXPECT_FALSE(moderator.HasUnsignalled(0));
  }
  EXPECT_EQ(moderator.Next(), kNever);
}

TEST(InterruptModeratorTest, LineRisesAtTheCountAndTheTimerStops) {
  InterruptModerator moderator({.count = 3, .time = 10us}, 1);
  for (Duration round : {0us, 100us}) {
    EXPECT_FALSE(moderator.Completed(0, At(round + 1us)));
    EXPECT_FALSE(moderator.Completed(0, At(round + 2us)));
    EXPECT_TRUE(moderator.HasUnsignalled(0));
    EXPECT_EQ(moderator.Next(), At(round + 11us));
    EXPECT_TRUE(moderator.Completed(0, At(round + 3us)));
    EXPECT_FALSE(moderator.HasUnsignalled(0));
    EXPECT_EQ(moderator.Next(), kNever);
  }
}

TEST(InterruptModeratorTest, TimerRunsFromTheFirstUnsignalledCompletion) {
  InterruptModerator moderator({.count = 100, .time = 10us}, 1);
  EXPECT_FALSE(moderator.Completed(0, At(1us)));
  EXPECT_FALSE(moderator.Completed(0, At(9us)));
  EXPECT_EQ(moderator.Next(), At(11us));
  EXPECT_EQ(moderator.first(), 0u);
  moderator.Risen(0);
  EXPECT_EQ(moderator.Next(), kNever);
  EXPECT_FALSE(moderator.HasUnsignalled(0));
  EXPECT_FALSE(moderator.Completed(0, At(30us)));
  EXPECT_EQ(moderator.Next(), At(40us));
}

// The timer's end counts as the rise: the completions before it do not add up to the count.
TEST(InterruptModeratorTest, EndOfTheTimerBeginsTheCountAgain) {
  InterruptModerator moderator({.count = 3, .time = 10us}, 1);
  EXPECT_FALSE(moderator.Completed(0, At(1us)));
  EXPECT_FALSE(moderator.Completed(0, At(2us)));
  moderator.Risen(0);
  EXPECT_FALSE(moderator.Completed(0, At(12us)));
  EXPECT_FALSE(moderator.Completed(0, At(13us)));
  EXPECT_TRUE(moderator.Completed(0, At(14us)));
}

TEST(InterruptModeratorTest, CountOfOneNeedsNoTimer) {
  InterruptModerator moderator({.count = 1, .time = 10us}, 1);
  EXPECT_TRUE(moderator.Completed(0, At(1us)));
  EXPECT_EQ(moderator.Next(), kNever);
}

TEST(InterruptModeratorTest, TimeOfZeroDoesNotWaitForTheCount) {
  InterruptModerator moderator({.count = 100, .time = 0us}, 1);
  EXPECT_TRUE(moderator.Completed(0, At(1us)));
  EXPECT_TRUE(moderator.Completed(0, At(1us)));
  EXPECT_FALSE(moderator.HasUnsignalled(0));
  EXPECT_EQ(moderator.Next(), kNever);
}

// Profiles allow counts from 1 on.
TEST(InterruptModeratorTest, CountOfZeroIsACountOfOne) {
  InterruptModerator moderator({.count = 0, .time = 10us}, 1);
  EXPECT_TRUE(moderator.Completed(0, At(1us)));
  EXPECT_EQ(moderator.Next(), kNever);
}

TEST(InterruptModeratorTest, RiseWithoutACompletionChangesNothing) {
  InterruptModerator moderator({.count = 2, .time = 10us}, 2);
  EXPECT_FALSE(moderator.Completed(1, At(1us)));
  moderator.Risen(0);
  EXPECT_EQ(moderator.Next(), At(11us));
  EXPECT_EQ(moderator.first(), 1u);
  EXPECT_TRUE(moderator.HasUnsignalled(1));
}

TEST(InterruptModeratorTest, SecondRiseStopsNoOtherTimer) {
  InterruptModerator moderator({.count = 2, .time = 10us}, 2);
  EXPECT_FALSE(moderator.Completed(0, At(1us)));
  moderator.Risen(0);
  EXPECT_FALSE(moderator.Completed(1, At(2us)));
  moderator.Risen(0);
  EXPECT_EQ(moderator.Next(), At(12us));
  EXPECT_EQ(moderator.first(), 1u);
}

TEST(InterruptModeratorTest, QueuePairsCountApart) {
  InterruptModerator moderator({.count = 2, .time = 10us}, 2);
  EXPECT_FALSE(moderator.Completed(0, At(1us)));
  EXPECT_FALSE(moderator.Completed(1, At(2us)));
  EXPECT_TRUE(moderator.Completed(1, At(3us)));
  EXPECT_TRUE(moderator.HasUnsignalled(0));
  EXPECT_FALSE(moderator.HasUnsignalled(1));
}

// Wherever the timer that stops stands among the others, they go on in the order of their ends.
TEST(InterruptModeratorTest, TimersEndInTheOrderOfTheirStart) {
  constexpr uint32_t kQueuePairs = 3;
  for (uint32_t stopped = 0; stopped < kQueuePairs; ++stopped) {
    SCOPED_TRACE(stopped);
    InterruptModerator moderator({.count = 2, .time = 10us}, kQueuePairs);
    for (uint32_t index = 0; index < kQueuePairs; ++index) {
      EXPECT_FALSE(moderator.Completed(index, At(index * 1us)));
    }
    EXPECT_TRUE(moderator.Completed(stopped, At(5us)));
    // Starts once more, now as the last.
    EXPECT_FALSE(moderator.Completed(stopped, At(6us)));
    for (uint32_t index = 0; index < kQueuePairs; ++index) {
      if (index == stopped) continue;
      EXPECT_EQ(moderator.Next(), At(index * 1us + 10us));
      EXPECT_EQ(moderator.first(), index);
      moderator.Risen(index);
    }
    EXPECT_EQ(moderator.Next(), At(16us));
    EXPECT_EQ(moderator.first(), stopped);
    moderator.Risen(stopped);
    EXPECT_EQ(moderator.Next(), kNever);
  }
}

TEST(InterruptModeratorTest, TurningOffForgetsWhatIsUnsignalled) {
  InterruptModerator moderator({.count = 2, .time = 10us}, 2);
  EXPECT_FALSE(moderator.Completed(0, At(1us)));
  EXPECT_FALSE(moderator.Completed(1, At(1us)));
  moderator.SetOn(false);
  EXPECT_FALSE(moderator.on());
  EXPECT_EQ(moderator.Next(), kNever);
  moderator.SetOn(true);
  for (const uint32_t index : {0u, 1u}) {
    EXPECT_FALSE(moderator.HasUnsignalled(index));
    EXPECT_FALSE(moderator.Completed(index, At(2us))) << "counted with the forgotten completion";
  }
}

TEST(InterruptModeratorTest, CompletionsWhileOffAreNotCounted) {
  InterruptModerator moderator({.count = 2, .time = 10us}, 1);
  moderator.SetOn(false);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(moderator.Completed(0, At(1us)));
  EXPECT_FALSE(moderator.HasUnsignalled(0));
  EXPECT_EQ(moderator.Next(), kNever);
  moderator.SetOn(true);
  EXPECT_FALSE(moderator.Completed(0, At(2us)));
  EXPECT_TRUE(moderator.Completed(0, At(3us)));
}

TEST(InterruptModeratorTest, TurningOnAgainKeepsWhatIsUnsignalled) {
  InterruptModerator moderator({.count = 2, .time = 10us}, 1);
  EXPECT_FALSE(moderator.Completed(0, At(1us)));
  moderator.SetOn(true);
  EXPECT_EQ(moderator.Next(), At(11us));
  EXPECT_TRUE(moderator.Completed(0, At(2us)));
}

}  // namespace
}  // namespace hwsim::model
