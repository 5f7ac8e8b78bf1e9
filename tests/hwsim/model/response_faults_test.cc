// What each fault of a response does, on timelines computed by hand.
#include <gtest/gtest.h>

#include "hwsim/model/card_model.h"
#include "tests/hwsim/model/model_fixture.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using enum faults::FaultKind;

TEST(ResponseFaultsTest, CompletionErrorIsLoggedAsItIsDecided) {
  FaultyModel model(Faulty({{.kind = kCompletionError, .nth = 2}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(1us, id);
  EXPECT_EQ(model.Faults(), "completion_error:2@1us");
  EXPECT_EQ(model.Until(1ms), "1@11us 2@21us? 3@31us");
  EXPECT_EQ(model.Faults(), "");
}

TEST(ResponseFaultsTest, DroppedResponseNeverArrivesAndOccupiesNoUnit) {
  FaultyModel model(Faulty({{.kind = kResponseDropped, .nth = 1}}));
  for (RequestId id = 1; id <= 2; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1h), "2@20us");
  EXPECT_EQ(model.pending(), 1u);
  EXPECT_EQ(model.NextEvent(), std::nullopt);
}

TEST(ResponseFaultsTest, DelayedResponseIsOvertaken) {
  FaultyModel model(Faulty({{.kind = kResponseDelayed, .nth = 1, .time = 15us}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1ms), "2@20us 1@25us 3@30us");
}

TEST(ResponseFaultsTest, DuplicatedResponseComesAgain) {
  FaultyModel model(Faulty({{.kind = kResponseDuplicated, .nth = 1, .time = 3us, .times = 2}}),
                    true);
  model.Copy(0us, 7);
  EXPECT_EQ(model.Until(1ms), "7@10us !0@10us 7@13us+ !0@13us 7@16us+ !0@16us");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(ResponseFaultsTest, ReorderedResponseIsOvertakenByTheGivenNumber) {
  FaultyModel model(Faulty({{.kind = kResponseReordered, .nth = 1, .times = 2}}, 8));
  for (RequestId id = 1; id <= 4; ++id) model.Null(0us, id);
  EXPECT_EQ(model.Until(0us), "2@0ns 3@0ns 1@0ns 4@0ns");
}

TEST(ResponseFaultsTest, ReorderedResponseDoesNotWaitForEverForOthers) {
  FaultyModel model(Faulty({{.kind = kResponseReordered, .nth = 1, .time = 5us}}));
  model.Copy(0us, 1);
  EXPECT_EQ(model.Until(1ms), "1@15us");
  EXPECT_EQ(model.NextEvent(), std::nullopt);
}

TEST(ResponseFaultsTest, ReorderedResponseIsNotOvertakenByAnotherQueuePair) {
  FaultyModel model(Faulty({{.kind = kResponseReordered, .nth = 1, .time = 50us}}, 8), false, 2);
  model.Null(0us, 1, 0);
  model.Null(0us, 2, 1);
  EXPECT_EQ(model.Until(49us), "2@0ns");
  EXPECT_EQ(model.Until(1ms), "1@50us");
}

TEST(ResponseFaultsTest, StalledResponseRingHoldsAllOfItsQueuePairAndKeepsTheirOrder) {
  FaultyModel model(Faulty({{.kind = kResponseRingStalled, .nth = 2, .time = 100us}}, 8), false, 2);
  model.Copy(0us, 1, 0);
  model.Copy(5us, 2, 0);
  model.Copy(6us, 3, 0);
  model.Copy(6us, 9, 1);
  EXPECT_EQ(model.Until(104us), "9@16us");
  EXPECT_EQ(model.Until(1ms), "1@105us 2@105us 3@105us");
}

TEST(ResponseFaultsTest, StallOnAStallLastsAsLongAsTheLater) {
  FaultyModel model(Faulty({{.kind = kResponseRingStalled, .every_nth = 1, .time = 100us}}, 8));
  model.Copy(0us, 1);
  model.Copy(50us, 2);
  EXPECT_EQ(model.Until(1ms), "1@150us 2@150us");
}

}  // namespace
}  // namespace hwsim::model
