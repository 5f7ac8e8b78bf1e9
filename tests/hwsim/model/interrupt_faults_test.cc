// What each fault of an interrupt does, on timelines computed by hand.
#include <gtest/gtest.h>

#include "hwsim/model/card_model.h"
#include "tests/hwsim/model/model_fixture.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using enum faults::FaultKind;

TEST(InterruptFaultsTest, LostInterruptDoesNotRiseAndTheNextDoes) {
  FaultyModel model(Faulty({{.kind = kInterruptLost, .nth = 1}}), true);
  for (RequestId id = 1; id <= 2; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1ms), "1@10us 2@20us !0@20us");
  EXPECT_EQ(model.Faults(), "interrupt_lost@10us");
}

TEST(InterruptFaultsTest, LateInterruptRisesLater) {
  FaultyModel model(Faulty({{.kind = kInterruptLate, .nth = 1, .time = 15us}}), true);
  for (RequestId id = 1; id <= 2; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1ms), "1@10us 2@20us !0@20us !0@25us");
}

TEST(InterruptFaultsTest, SpuriousInterruptRisesWithoutACompletion) {
  FaultyModel model(Faulty({{.kind = kInterruptSpurious, .nth = 1}}), true);
  model.Copy(3us, 1);
  EXPECT_EQ(model.Faults(), "interrupt_spurious:1@3us");
  EXPECT_EQ(model.Until(1ms), "!0@3us 1@13us !0@13us");
}

TEST(InterruptFaultsTest, DuplicatedInterruptRisesAgain) {
  FaultyModel model(Faulty({{.kind = kInterruptDuplicated, .nth = 1, .time = 4us, .times = 2}}),
                    true);
  model.Copy(0us, 1);
  EXPECT_EQ(model.Until(1ms), "1@10us !0@10us !0@14us !0@18us");
}

TEST(InterruptFaultsTest, CoalescedInterruptRisesOnceForAllWhenItsTimeIsOver) {
  FaultyModel model(Faulty({{.kind = kInterruptCoalesced, .nth = 1, .time = 25us}}), true);
  for (RequestId id = 1; id <= 4; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1ms), "1@10us 2@20us 3@30us !0@35us 4@40us !0@40us");
}

TEST(InterruptFaultsTest, InterruptFaultsLookAtTheOperationBehindTheLine) {
  FaultyModel model(
      Faulty(
          {{.kind = kInterruptLost, .every_nth = 1, .operation = operations::OperationKind::kNull}},
          2),
      true);
  model.Copy(0us, 1);
  model.Null(0us, 2);
  EXPECT_EQ(model.Until(1ms), "2@0ns 1@10us !0@10us");
}

TEST(InterruptFaultsTest, NoInterruptWhereThereAreNone) {
  FaultyModel model(Faulty({{.kind = kInterruptSpurious, .every_nth = 1},
                            {.kind = kInterruptDuplicated, .every_nth = 1}}));
  model.Copy(0us, 1);
  EXPECT_EQ(model.Until(1ms), "1@10us");
  EXPECT_EQ(model.Faults(), "interrupt_spurious:1@0ns");
}

}  // namespace
}  // namespace hwsim::model
