// What each fault of a service does, on timelines computed by hand.
#include <gtest/gtest.h>

#include "hwsim/model/card_model.h"
#include "tests/hwsim/model/model_fixture.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using enum faults::FaultKind;

TEST(ServiceFaultsTest, SlowInstanceMultipliesTheServiceTime) {
  FaultyModel model(Faulty({{.kind = kSlowInstance, .queue_pair = 1, .from = 0us, .factor = 5}}, 8),
                    false, 2);
  model.Copy(0us, 1, 0);
  model.Copy(0us, 2, 1);
  EXPECT_EQ(model.Until(1ms), "1@10us 2@50us");
}

TEST(ServiceFaultsTest, WakeUpDelaysARequestThatFindsTheCardIdle) {
  FaultyModel model(Faulty({{.kind = kWakeUp, .every_nth = 1, .time = 100us, .idle = 1ms}}));
  model.Copy(500us, 1);  // idle, but not for so long
  model.Copy(5ms, 2);
  model.Copy(5ms, 3);
  EXPECT_EQ(model.Faults(), "wake_up:2@5ms");
  EXPECT_EQ(model.Until(10ms), "1@510us 2@5110us 3@5120us");
}

TEST(ServiceFaultsTest, ThrottledCardIsSlowerForAWhile) {
  FaultyModel model(Faulty({{.kind = kThrottled, .at = 5us, .time = 20us, .factor = 3}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  // The first began before, the second begins within, the third after it.
  EXPECT_EQ(model.Until(1ms), "1@10us 2@40us 3@50us");
  EXPECT_EQ(model.Faults(), "throttled@5us");
}

TEST(ServiceFaultsTest, FactorIsCutAtAnHour) {
  Profile profile = Faulty({{.kind = kSlowInstance, .nth = 1, .factor = 1e6}});
  profile.cost(operations::OperationKind::kCopy).service.base = 1min;
  FaultyModel model(profile);
  model.Copy(0us, 1);
  EXPECT_EQ(model.Until(2h), "1@3600s");
}

}  // namespace
}  // namespace hwsim::model
