// What each fault of the whole card does, on timelines computed by hand, and what a reset answers.
#include <gtest/gtest.h>

#include "hwsim/model/card_model.h"
#include "tests/hwsim/model/model_fixture.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using enum faults::FaultKind;

TEST(ModelFaultsTest, HangMovesEverythingBehindIt) {
  FaultyModel model(Faulty({{.kind = kCardHang, .at = 15us, .time = 100us}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(50us), "1@10us");
  EXPECT_EQ(model.heartbeat_stopped(), At(15us));
  EXPECT_EQ(model.NextEvent(), At(115us));
  EXPECT_EQ(model.state(), CardState::kUp);
  EXPECT_EQ(model.Until(1ms), "2@120us 3@130us");
  EXPECT_EQ(model.heartbeat_stopped(), std::nullopt);
}

TEST(ModelFaultsTest, HangWithoutATimeLastsUntilAReset) {
  FaultyModel model(Faulty({{.kind = kCardHang, .nth = 2}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Faults(), "card_hang:2@0ns");
  EXPECT_EQ(model.Until(1min), "");
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  model.Reset(At(1min), 10us);
  EXPECT_EQ(model.state(), CardState::kFatalError);
  EXPECT_EQ(model.Until(2min), "1@60000005us# 2@60000005us# 3@60000005us#");
  EXPECT_EQ(model.state(), CardState::kUp);
  EXPECT_EQ(model.heartbeat_stopped(), std::nullopt);
  model.Copy(2min, 4);
  EXPECT_EQ(model.Until(3min), "4@120000010us");
}

TEST(ModelFaultsTest, FalseAlarmStopsTheHeartbeatAndNothingElse) {
  FaultyModel model(Faulty({{.kind = kHeartbeatFalseAlarm, .at = 5us, .time = 100us}}));
  for (RequestId id = 1; id <= 2; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(50us), "1@10us 2@20us");
  EXPECT_EQ(model.heartbeat_stopped(), At(5us));
  EXPECT_EQ(model.Until(105us), "");
  EXPECT_EQ(model.heartbeat_stopped(), std::nullopt);
}

// The second once made the heartbeat move.
TEST(ModelFaultsTest, AlarmOnAnAlarmLastsLongerAndBeginsNoLater) {
  FaultyModel model(Faulty({{.kind = kHeartbeatFalseAlarm, .every_nth = 1, .time = 100us}}));
  model.Copy(5us, 1);
  model.Copy(50us, 2);
  EXPECT_EQ(model.Until(120us), "1@15us 2@60us");
  EXPECT_EQ(model.heartbeat_stopped(), At(5us));
  EXPECT_EQ(model.Until(150us), "");
  EXPECT_EQ(model.heartbeat_stopped(), std::nullopt);
}

// Everything that the card holds, wherever, is answered in the order of its arrival.
TEST(ModelFaultsTest, ResetAnswersAllInTheOrderOfTheirSubmission) {
  FaultyModel model(Faulty({{.kind = kResponseDropped, .nth = 1},
                            {.kind = kResponseDelayed, .nth = 2, .time = 1h},
                            {.kind = kResponseReordered, .nth = 3, .time = 1h, .times = 9},
                            {.kind = kResponseRingStalled, .nth = 5, .time = 1h},
                            {.kind = kCardReset, .at = 45us, .time = 20us}}),
                    false, 2);
  for (RequestId id = 1; id <= 7; ++id) model.Copy(0us, id, id % 2);
  EXPECT_EQ(model.Until(40us), "4@40us");
  EXPECT_EQ(model.Until(46us), "");
  EXPECT_EQ(model.state(), CardState::kFatalError);
  model.Copy(46us, 8);  // on its way when the card went down
  EXPECT_EQ(model.Until(55us), "1@55us# 2@55us# 3@55us# 5@55us# 6@55us# 7@55us# 8@55us#");
  EXPECT_EQ(model.state(), CardState::kRestarting);
  model.Copy(60us, 9);
  EXPECT_EQ(model.Until(60us), "9@60us#");
  EXPECT_EQ(model.Until(65us), "");
  EXPECT_EQ(model.state(), CardState::kUp);
  EXPECT_EQ(model.pending(), 0u);
  model.Copy(70us, 10);
  EXPECT_EQ(model.Until(1ms), "10@80us");
  EXPECT_EQ(model.Until(5h), "");
}

TEST(ModelFaultsTest, ResetRaisesTheLineOfEachQueuePairThatItAnswers) {
  Profile profile = Faulty({{.kind = kCardReset, .at = 5us, .time = 0us}});
  profile.moderation = {.count = 100, .time = 10ms};
  FaultyModel model(profile, true, 3);
  model.Copy(0us, 1, 0);
  model.Copy(0us, 2, 2);
  EXPECT_EQ(model.Until(1s), "1@5us# 2@5us# !0@5us !2@5us");
}

TEST(ModelFaultsTest, ResetWithoutAPlanBringsItBackToo) {
  FaultyModel model(Faulty({}));
  EXPECT_FALSE(model.may_fail());
  model.Copy(0us, 1);
  model.Reset(At(2us), 10us);
  EXPECT_TRUE(model.may_fail());
  EXPECT_EQ(model.Until(1ms), "1@7us#");
  model.Copy(1ms, 2);
  EXPECT_EQ(model.Until(2ms), "2@1010us");
  EXPECT_EQ(model.pending(), 0u);
}

// The counts of the queue pairs once began at zero with the reset, and wrapped below it.
TEST(ModelFaultsTest, ResetWithoutAPlanKeepsTheCountsOfRequestsOnTheCard) {
  FaultyModel model(Faulty({}), false, 2);
  model.Copy(0us, 1, 0);
  model.Copy(0us, 2, 0);
  model.Copy(0us, 3, 1);
  EXPECT_EQ(model.Until(10us), "1@10us");
  model.Reset(At(12us), 10us);
  EXPECT_EQ(model.pending(0), 1u);
  EXPECT_EQ(model.pending(1), 1u);
  EXPECT_EQ(model.pending(), 2u);
  EXPECT_EQ(model.Until(1ms), "2@17us# 3@17us#");
  EXPECT_EQ(model.pending(0), 0u);
  EXPECT_EQ(model.pending(1), 0u);
  EXPECT_EQ(model.pending(), 0u);
  model.Copy(1ms, 4, 0);
  EXPECT_EQ(model.pending(0), 1u);
  EXPECT_EQ(model.pending(), 1u);
  EXPECT_EQ(model.Until(2ms), "4@1010us");
  EXPECT_EQ(model.pending(0), 0u);
}

// A request that completed before the reset is on the card no more, though the driver comes late.
TEST(ModelFaultsTest, ResetWithoutAPlanAnswersOnlyWhatIsStillOnTheCard) {
  FaultyModel model(Faulty({}));
  model.Copy(0us, 1);
  model.Copy(0us, 2);
  model.Reset(At(15us), 10us);
  EXPECT_EQ(model.pending(), 2u);  // Advance has given neither yet
  EXPECT_EQ(model.Until(1ms), "1@10us 2@20us#");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(ModelFaultsTest, LostCardAnswersWhatItHadAndNeverComesBack) {
  FaultyModel model(Faulty({{.kind = kCardLost, .nth = 2}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.state(), CardState::kLost);
  EXPECT_EQ(model.Until(1us), "1@0ns# 2@0ns# 3@0ns#");
  model.Reset(At(1us), 1us);
  model.Copy(1h, 4);
  EXPECT_EQ(model.Until(2h), "4@3600s#");
  EXPECT_EQ(model.state(), CardState::kLost);
  EXPECT_EQ(model.heartbeat_stopped(), At(0us));
}

TEST(ModelFaultsTest, CardThatIsDownIsStruckByNothingMore) {
  FaultyModel model(Faulty({{.kind = kCardReset, .at = 5us, .time = 20us},
                            {.kind = kCardLost, .at = 10us},
                            {.kind = kCompletionError, .every_nth = 1}}));
  model.Copy(6us, 1);
  EXPECT_EQ(model.Until(1ms), "1@15us#");
  EXPECT_EQ(model.Faults(), "card_reset@5us");
}

// A hung card once raised a line in its past.
TEST(ModelFaultsTest, CardThatHangsIsStruckByNothingMore) {
  FaultyModel model(Faulty({{.kind = kCardHang, .at = 5us, .time = 20us},
                            {.kind = kInterruptSpurious, .every_nth = 1}}),
                    true);
  model.Copy(10us, 1);
  EXPECT_EQ(model.Until(1ms), "1@35us !0@35us");
  EXPECT_EQ(model.Faults(), "card_hang@5us");
}

}  // namespace
}  // namespace hwsim::model
