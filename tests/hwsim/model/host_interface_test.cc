#include "hwsim/model/host_interface.h"

#include <gtest/gtest.h>

#include <vector>

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

TimePoint At(Duration since_epoch) { return TimePoint(since_epoch); }

ServiceUnits::Response Response(RequestId request, uint32_t queue_pair, Duration time) {
  return {.time = At(time), .request = request, .service_start = At(0us), .queue_pair = queue_pair};
}

// Lets no interrupt rise, and counts them.
class NoInterrupts : public HostInterface::InterruptFilter {
 public:
  bool RisesNow(uint32_t, TimePoint) override {
    ++asked;
    return false;
  }
  int asked = 0;
};

class HostInterfaceTest : public ::testing::Test {
 protected:
  std::vector<ModelEvent> Taken() {
    std::vector<ModelEvent> events;
    host_.TakeEvents(events);
    return events;
  }
  CardTime time_;
  HostInterface host_{Moderation{}, 2, time_, At(3us)};
};

TEST_F(HostInterfaceTest, CountsRequestsOfEachQueuePairAndOfTheCard) {
  EXPECT_EQ(host_.idle_since(), At(3us));
  host_.Arrived(0);
  host_.Arrived(1);
  host_.Arrived(1);
  host_.Complete(Response(1, 1, 10us), operations::CompletionStatus::kOk);
  EXPECT_EQ(host_.on_card(), 2u);
  EXPECT_EQ(host_.on_card(0), 1u);
  EXPECT_EQ(host_.on_card(1), 1u);
  host_.Complete(Response(2, 0, 11us), operations::CompletionStatus::kOk);
  host_.Complete(Response(3, 1, 12us), operations::CompletionStatus::kOk);
  EXPECT_EQ(host_.on_card(), 0u);
  EXPECT_EQ(host_.idle_since(), At(12us));
}

TEST_F(HostInterfaceTest, CompletionComesBeforeItsInterrupt) {
  host_.Arrived(1);
  host_.Complete(Response(7, 1, 10us), operations::CompletionStatus::kDeviceError);
  const std::vector<ModelEvent> events = Taken();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, ModelEvent::Kind::kComplete);
  EXPECT_EQ(events[0].request, 7u);
  EXPECT_EQ(events[0].status, operations::CompletionStatus::kDeviceError);
  EXPECT_EQ(events[1].kind, ModelEvent::Kind::kInterrupt);
  EXPECT_EQ(events[1].queue_pair, 1u);
  EXPECT_FALSE(events[1].for_nothing);
  EXPECT_TRUE(Taken().empty());
}

TEST_F(HostInterfaceTest, EventsCarryTheTimeOfTheWorld) {
  time_.Freeze(At(2us));
  time_.Thaw(At(5us));
  host_.Arrived(0);
  host_.Complete(Response(1, 0, 10us), operations::CompletionStatus::kOk);
  EXPECT_EQ(Taken().at(0).at, At(13us));
  EXPECT_EQ(host_.idle_since(), At(13us));
}

TEST_F(HostInterfaceTest, FilterIsAskedOfModeratedInterruptsAndNotOfThoseOfFaults) {
  NoInterrupts filter;
  host_.set_filter(&filter);
  host_.Arrived(0);
  host_.Complete(Response(1, 0, 10us), operations::CompletionStatus::kOk);
  EXPECT_EQ(filter.asked, 1);
  EXPECT_EQ(Taken().size(), 1u);
  host_.RaiseByFault(0, At(11us));
  EXPECT_EQ(filter.asked, 1);
  const std::vector<ModelEvent> events = Taken();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0].for_nothing);
}

TEST_F(HostInterfaceTest, NoInterruptRisesWhileTheyAreOff) {
  host_.SetInterrupts(false);
  host_.Arrived(0);
  host_.Complete(Response(1, 0, 10us), operations::CompletionStatus::kOk);
  host_.RaiseByFault(0, At(11us));
  EXPECT_EQ(Taken().size(), 1u);
}

TEST_F(HostInterfaceTest, TakeEventsAppends) {
  std::vector<ModelEvent> events(1);
  host_.Arrived(0);
  host_.Complete(Response(1, 0, 10us), operations::CompletionStatus::kOk);
  host_.TakeEvents(events);
  EXPECT_EQ(events.size(), 3u);
  EXPECT_TRUE(host_.events().empty());
}

using HostInterfaceDeathTest = HostInterfaceTest;

TEST_F(HostInterfaceDeathTest, CompletionOfARequestThatIsNotOnTheCardIsABug) {
  host_.Arrived(0);
  EXPECT_DEATH(host_.Complete(Response(1, 1, 10us), operations::CompletionStatus::kOk),
               "without a request");
}

}  // namespace
}  // namespace hwsim::model
