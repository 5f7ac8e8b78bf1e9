// When the lines of the card rise without faults: moderation on timelines computed by hand.
#include <gtest/gtest.h>

#include "hwsim/model/card_model.h"
#include "tests/hwsim/model/model_fixture.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

CardModel Moderated(uint32_t count, Duration time, uint32_t queue_pairs = 1) {
  return CardModel(Profile{.moderation = {.count = count, .time = time}}, queue_pairs, 1);
}
void Null(CardModel& model, Duration at, RequestId id, uint32_t queue_pair = 0) {
  model.Arrive(At(at), id, queue_pair, operations::OperationKind::kNull, 0);
}

TEST(CardModelInterruptsTest, UnmoderatedLineRisesForEachCompletion) {
  CardModel model = Moderated(1, 0us);
  Null(model, 1us, 1);
  Null(model, 1us, 2);
  EXPECT_EQ(LogUntil(model, 1ms), "1@1us !0@1us 2@1us !0@1us");
}

TEST(CardModelInterruptsTest, LineRisesAtTheCount) {
  CardModel model = Moderated(3, 1ms);
  for (RequestId id = 1; id <= 4; ++id) Null(model, Duration(id * 1000), id);
  EXPECT_EQ(LogUntil(model, 500us), "1@1us 2@2us 3@3us !0@3us 4@4us");
  EXPECT_EQ(model.NextEvent(), At(1004us));
  EXPECT_EQ(LogUntil(model, 2ms), "!0@1004us");
  EXPECT_EQ(model.NextEvent(), std::nullopt);
}

TEST(CardModelInterruptsTest, LineRisesAtTheTime) {
  CardModel model = Moderated(100, 10us);
  Null(model, 1us, 1);
  Null(model, 7us, 2);
  Null(model, 12us, 3);
  EXPECT_EQ(LogUntil(model, 1ms), "1@1us 2@7us !0@11us 3@12us !0@22us");
}

TEST(CardModelInterruptsTest, CompletionAtTheTimersEndIsSignalledWithIt) {
  CardModel model = Moderated(100, 10us);
  Null(model, 1us, 1);
  Null(model, 11us, 2);
  EXPECT_EQ(LogUntil(model, 1ms), "1@1us 2@11us !0@11us");
}

TEST(CardModelInterruptsTest, TimeOfZeroDoesNotWaitForTheCount) {
  CardModel model = Moderated(100, 0us);
  Null(model, 1us, 1);
  EXPECT_EQ(LogUntil(model, 1us), "1@1us !0@1us");
}

TEST(CardModelInterruptsTest, QueuePairsAreModeratedApart) {
  CardModel model = Moderated(2, 10us, 3);
  Null(model, 1us, 1, 0);
  Null(model, 2us, 2, 1);
  Null(model, 3us, 3, 2);
  Null(model, 4us, 4, 1);  // stops the timer in the middle of the list
  EXPECT_EQ(LogUntil(model, 1ms), "1@1us 2@2us 3@3us 4@4us !1@4us !0@11us !2@13us");
}

TEST(CardModelInterruptsTest, ModerationDelaysNoCompletion) {
  CardModel model = Moderated(4096, 10ms);
  Null(model, 1us, 1);
  EXPECT_EQ(model.NextEvent(), At(1us));
  EXPECT_EQ(LogUntil(model, 1us), "1@1us");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(CardModelInterruptsTest, InterruptsTurnedOffLeaveNoTimerBehind) {
  CardModel model = Moderated(2, 10us, 2);
  Null(model, 1us, 1, 0);
  Null(model, 1us, 2, 1);
  EXPECT_EQ(LogUntil(model, 1us), "1@1us 2@1us");
  model.SetInterrupts(false);
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  Null(model, 2us, 3);
  EXPECT_EQ(LogUntil(model, 1ms), "3@2us");
  model.SetInterrupts(true);
  Null(model, 2ms, 4);
  EXPECT_EQ(LogUntil(model, 3ms), "4@2ms !0@2010us");
}

}  // namespace
}  // namespace hwsim::model
