#include "hwsim/model/card_model.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/hwsim/model/model_fixture.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

TEST(CardModelTest, IdleCardHasNoEvents) {
  QuietModel model(Simple(1));
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  EXPECT_EQ(LogUntil(model, 1s), "");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(CardModelTest, IdealCardCompletesAtOnceInOrder) {
  QuietModel model(Profile{}, 2);
  for (RequestId id = 1; id <= 4; ++id) model.Copy(5us, id, id % 2);
  EXPECT_EQ(model.pending(), 4u);
  EXPECT_EQ(model.NextEvent(), At(5us));
  EXPECT_EQ(LogUntil(model, 5us), "1@5us 2@5us 3@5us 4@5us");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(CardModelTest, ServiceUnitsServeInParallel) {
  QuietModel model(Simple(2));
  for (RequestId id = 1; id <= 5; ++id) model.Copy(0us, id);
  EXPECT_EQ(LogUntil(model, 1ms), "1@10us 2@10us 3@20us 4@20us 5@30us");
}

TEST(CardModelTest, ServiceStartIsWhenAServiceUnitStartedIt) {
  QuietModel model(Simple(1, 10us, 100us));
  model.Copy(0us, 1);
  model.Copy(1us, 2);
  std::vector<ModelEvent> events;
  model.Advance(At(1ms), events);
  ASSERT_EQ(Log(events), "1@110us 2@120us");
  EXPECT_EQ(events[0].service_start, At(0us));
  EXPECT_EQ(events[1].service_start, At(10us));
}

TEST(CardModelTest, TransitOccupiesNoServiceUnit) {
  QuietModel model(Simple(1, 10us, 560us));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(LogUntil(model, 1ms), "1@570us 2@580us 3@590us");
}

TEST(CardModelTest, UnitThatBecomesFreeServesTheNextAtThatInstant) {
  QuietModel model(Simple(1));
  model.Copy(0us, 1);
  model.Copy(3us, 2);
  EXPECT_EQ(LogUntil(model, 10us), "1@10us");
  EXPECT_EQ(LogUntil(model, 19us), "");
  EXPECT_EQ(LogUntil(model, 20us), "2@20us");
}

TEST(CardModelTest, ArrivalFindsUnitsAsTheyAreThenHoweverLateAdvanceIsCalled) {
  QuietModel model(Simple(1));
  model.Copy(0us, 1);
  model.Copy(0us, 2);
  model.Copy(25us, 3);  // no Advance since: 2 has the unit from 10 us to 20 us
  EXPECT_EQ(LogUntil(model, 1ms), "1@10us 2@20us 3@35us");
}

TEST(CardModelTest, QueuePairsTakeTurns) {
  QuietModel model(Simple(1), 3);
  model.Copy(0us, 10, 0);
  for (RequestId id : {11, 12, 13}) model.Copy(0us, id, 0);
  for (RequestId id : {21, 22}) model.Copy(0us, id, 1);
  model.Copy(0us, 31, 2);
  EXPECT_EQ(LogUntil(model, 1ms), "10@10us 11@20us 21@30us 31@40us 12@50us 22@60us 13@70us");
}

TEST(CardModelTest, QueuePairServesInOrderOfArrival) {
  QuietModel model(Simple(3), 1);
  for (RequestId id = 1; id <= 6; ++id) model.Copy(Duration(id), id);
  EXPECT_EQ(LogUntil(model, 1ms), "1@10001ns 2@10002ns 3@10003ns 4@20001ns 5@20002ns 6@20003ns");
}

TEST(CardModelTest, TiesCompleteInOrderOfArrival) {
  Profile profile = Simple(2);
  profile.cost(operations::OperationKind::kSha256).service.base = 5us;
  QuietModel model(profile);
  model.Arrive(At(0us), 1, 0, operations::OperationKind::kCopy, 0);
  model.Arrive(At(5us), 2, 0, operations::OperationKind::kSha256, 0);
  EXPECT_EQ(LogUntil(model, 1ms), "1@10us 2@10us");
  // Started in turns 1, 3, 2, and all three due at once.
  QuietModel turns(Simple(3), 2);
  for (RequestId id : {7, 8, 9}) turns.Copy(2ms, id, 0);
  turns.Copy(2ms, 1, 0);
  turns.Copy(2ms, 2, 0);
  turns.Copy(2ms, 3, 1);
  EXPECT_EQ(LogUntil(turns, 3ms), "7@2010us 8@2010us 9@2010us 1@2020us 2@2020us 3@2020us");
}

TEST(CardModelTest, LongerRequestsAreOvertaken) {
  QuietModel model(Simple(2));
  model.Copy(0us, 1);
  model.Arrive(At(0us), 2, 0, operations::OperationKind::kNull, 0);
  EXPECT_EQ(LogUntil(model, 1ms), "2@0ns 1@10us");
}

TEST(CardModelTest, SizeAddsToServiceAndTransit) {
  Profile profile = Simple(1);
  profile.cost(operations::OperationKind::kCopy).service.ns_per_byte = 0.5;
  profile.transit.ns_per_byte = 1;
  QuietModel model(profile);
  model.Arrive(At(0us), 1, 0, operations::OperationKind::kCopy, 1000);
  EXPECT_EQ(LogUntil(model, 1ms), "1@11500ns");
}

TEST(CardModelTest, RateCapSpacesStarts) {
  Profile profile = Simple(8, 0us);
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 100'000;
  QuietModel model(profile, 2);
  for (RequestId id = 1; id <= 4; ++id) model.Copy(0us, id, id % 2);
  model.Arrive(At(0us), 9, 0, operations::OperationKind::kNull,
               0);  // behind 2 and 4 in its queue pair
  EXPECT_EQ(LogUntil(model, 1ms), "1@0ns 2@10us 3@20us 4@30us 9@30us");
}

TEST(CardModelTest, IdleTimeOfARateCapIsNotSavedUp) {
  Profile profile = Simple(8, 0us);
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 100'000;
  QuietModel model(profile);
  model.Copy(0us, 1);
  model.Copy(1ms, 2);
  model.Copy(1ms, 3);
  EXPECT_EQ(LogUntil(model, 2ms), "1@0ns 2@1ms 3@1010us");
}

TEST(CardModelTest, RateCapDoesNotDrift) {
  Profile profile{.service_units = 4};
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 60'000;  // 16,666.67 ns apart
  QuietModel model(profile);
  for (RequestId id = 0; id <= 200'000; ++id) model.Copy(0us, id);
  std::vector<ModelEvent> events;
  model.Advance(At(20s), events);
  ASSERT_EQ(events.size(), 200'001u);
  for (const ModelEvent& event : events) {
    ASSERT_NEAR(static_cast<double>(event.at.time_since_epoch().count()),
                static_cast<double>(event.request) * 1e9 / 60'000, 1);
  }
}

TEST(CardModelTest, RequestDelayedByACapOccupiesNoUnitAndDoesNotBlockOthers) {
  Profile profile = Simple(1, 0us);
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 100'000;
  profile.cost(operations::OperationKind::kSha256).service.base = 4us;
  QuietModel model(profile, 2);
  for (RequestId id : {1, 2, 3}) model.Copy(0us, id, 0);
  for (RequestId id : {7, 8, 9})
    model.Arrive(At(1us), id, 1, operations::OperationKind::kSha256, 0);
  // 2 may start at 10 us, but 9 has the unit until 13 us; 3 starts 10 us after 2.
  EXPECT_EQ(LogUntil(model, 1ms), "1@0ns 7@5us 8@9us 2@13us 9@13us 3@23us");
}

TEST(CardModelTest, CapsOfTwoOperationsAreIndependent) {
  Profile profile = Simple(4, 0us);
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 100'000;
  profile.cost(operations::OperationKind::kSha256).rate_per_s_max = 250'000;
  QuietModel model(profile, 2);
  for (RequestId id : {1, 2, 3}) model.Copy(0us, id, 0);
  for (RequestId id : {7, 8, 9})
    model.Arrive(At(0us), id, 1, operations::OperationKind::kSha256, 0);
  EXPECT_EQ(LogUntil(model, 1ms), "1@0ns 7@0ns 8@4us 9@8us 2@10us 3@20us");
}

TEST(CardModelTest, CompletionErrorTakesAsLongAsSuccess) {
  Profile profile = Simple(1);
  profile.faults.rules = {{.kind = faults::FaultKind::kCompletionError, .every_nth = 2},
                          {.kind = faults::FaultKind::kSubmitRefused, .every_nth = 1}};
  QuietModel model(profile);
  for (RequestId id = 1; id <= 4; ++id) model.Copy(0us, id);
  EXPECT_EQ(LogUntil(model, 1ms), "1@10us 2@20us? 3@30us 4@40us?");
}

using CardModelDeathTest = ::testing::Test;

TEST(CardModelDeathTest, TimeDoesNotRunBackwards) {
  QuietModel model(Simple(1));
  model.Copy(5us, 1);
  EXPECT_DEATH(model.Copy(4us, 2), "does not run backwards");
  EXPECT_DEATH(LogUntil(model, 4us), "does not run backwards");
}

TEST(CardModelDeathTest, QueuePairsAreWithinTheProfile) {
  EXPECT_DEATH(QuietModel(Profile{.queue_pairs_max = 2}, 3), "queue pairs");
  QuietModel model(Simple(1), 2);
  EXPECT_DEATH(model.Copy(0us, 1, 2), "no such queue pair");
}

}  // namespace
}  // namespace hwsim::model
