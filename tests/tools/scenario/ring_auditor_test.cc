// Each rule of the rings, broken once by hand and reported; and correct sequences, in silence.
#include "tools/scenario/ring_auditor.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "tests/tools/scenario/watched_card.h"

namespace tools::scenario {
namespace {

using namespace std::chrono_literals;
using hwsim::operations::CompletionStatus;
using hwsim::operations::Request;
using hwsim::rings::Descriptor;

class RingAuditorTest : public testing::Test {
 protected:
  // A request with the queue pair's next number.
  Request& Next() {
    Request& request = requests_.emplace_back();
    request.number = requests_.size();
    return request;
  }
  Request& Pushed() {
    Request& request = Next();
    rig_.Push(request);
    return request;
  }
  void ExpectSilence() { EXPECT_EQ(rig_.broken(), std::vector<std::string>{}); }
  // One rule was broken, and this is what was reported.
  void ExpectBroken(const std::string& rule) {
    EXPECT_EQ(rig_.broken(), std::vector<std::string>{rule});
  }

  std::deque<Request> requests_;
  WatchedCard rig_;
};

TEST_F(RingAuditorTest, CorrectSequenceIsSilentAndLogged) {
  Request& good = Pushed();
  Request& bad = Pushed();
  EXPECT_TRUE(rig_.auditor().Has(good));
  EXPECT_EQ(rig_.auditor().in_flight(0), 2u);
  rig_.Complete(bad, CompletionStatus::kDeviceError);
  good.status = CompletionStatus::kOk;
  rig_.CompleteDescriptor(Descriptor::One(good), true);
  rig_.Pop(good);
  rig_.Pop(bad);
  ExpectSilence();
  EXPECT_FALSE(rig_.auditor().Has(good));
  EXPECT_EQ(rig_.auditor().in_flight(), 0u);
  EXPECT_EQ(rig_.auditor().counts().accepted, 2u);
  EXPECT_EQ(rig_.auditor().counts().succeeded, 1u);
  EXPECT_EQ(rig_.auditor().counts().failed, 1u);
  std::vector<EventKind> kinds;
  for (const Event& event : rig_.log().events()) kinds.push_back(event.kind);
  EXPECT_EQ(kinds,
            (std::vector<EventKind>{EventKind::kPushed, EventKind::kPushed, EventKind::kCompleted,
                                    EventKind::kCompleted, EventKind::kInterrupt,
                                    EventKind::kPopped, EventKind::kPopped}));
}

TEST_F(RingAuditorTest, BatchCountsEachMember) {
  Request& first = Next();
  Request& second = Next();
  first.next_in_batch = &second;
  rig_.PushDescriptor(Descriptor::Batch(first));
  EXPECT_EQ(rig_.auditor().in_flight(0), 2u);
  first.status = second.status = CompletionStatus::kOk;
  rig_.CompleteDescriptor(Descriptor::Batch(first));
  rig_.PopDescriptor(Descriptor::Batch(first));
  ExpectSilence();
  EXPECT_EQ(rig_.auditor().counts().succeeded, 2u);
}

TEST_F(RingAuditorTest, RepeatedResponseIsLoggedOnly) {
  Request& request = Pushed();
  rig_.Complete(request, CompletionStatus::kOk);
  const Descriptor repeat = Descriptor::Repeat(Descriptor::One(request).word());
  rig_.CompleteDescriptor(repeat);
  rig_.Pop(request);
  rig_.PopDescriptor(repeat);
  ExpectSilence();
  EXPECT_EQ(rig_.log().events()[2].kind, EventKind::kResponseRepeated);
}

TEST_F(RingAuditorTest, ResetThatCompletesInOrderIsSilent) {
  Request& first = Pushed();
  Request& second = Pushed();
  rig_.Reset();
  rig_.Complete(first, CompletionStatus::kCardReset);
  rig_.Complete(second, CompletionStatus::kCardReset);
  rig_.PassTime(WatchedCard::kResetTime);
  EXPECT_EQ(rig_.card().state(), hwsim::model::CardState::kUp);
  rig_.Pop(first);
  rig_.Pop(second);
  ExpectSilence();
}

TEST_F(RingAuditorTest, RequestAcceptedTwiceIsReported) {
  rig_.Push(Pushed());
  ExpectBroken("queue pair 0, request 1: accepted while the card already has it");
}

TEST_F(RingAuditorTest, RequestAcceptedByACardThatIsDownIsReported) {
  rig_.Reset();
  Pushed();
  ExpectBroken("queue pair 0, request 1: accepted by a card that is down");
}

TEST_F(RingAuditorTest, RequestPastTheDepthIsReported) {
  for (uint32_t i = 0; i < WatchedCard::kDepth; ++i) Pushed();
  ExpectSilence();
  Pushed();
  ExpectBroken("queue pair 0, request 3: 3 requests in flight; the depth is 2");
}

TEST_F(RingAuditorTest, CompletionOfARequestThatTheCardDoesNotHaveIsReported) {
  rig_.Complete(Next(), CompletionStatus::kOk);
  ExpectBroken("queue pair 0, request 0: the card completes a request that it does not have");
}

TEST_F(RingAuditorTest, SecondCompletionIsReported) {
  Request& request = Pushed();
  rig_.Complete(request, CompletionStatus::kOk);
  rig_.Complete(request, CompletionStatus::kOk);
  ExpectBroken("queue pair 0, request 1: completed twice");
}

TEST_F(RingAuditorTest, CompletionWithoutAStatusIsReported) {
  rig_.Complete(Pushed(), CompletionStatus::kPending);
  ExpectBroken("queue pair 0, request 1: completed, but its status is pending");
}

TEST_F(RingAuditorTest, ResetThatCompletesOutOfOrderIsReported) {
  Request& first = Pushed();
  Request& second = Pushed();
  rig_.Complete(second, CompletionStatus::kCardReset);
  rig_.Complete(first, CompletionStatus::kCardReset);
  ExpectBroken("queue pair 0, request 1: completed by a reset after request 2");
}

TEST_F(RingAuditorTest, ResetThatForgetsARequestIsReported) {
  Request& first = Pushed();
  Pushed();
  rig_.Reset();
  rig_.Complete(first, CompletionStatus::kCardReset);
  ExpectSilence();
  rig_.PassTime(WatchedCard::kResetTime);
  ExpectBroken("queue pair 0, request 2: was on the card during a reset that did not complete it");
}

TEST_F(RingAuditorTest, RequestHandedBackThatTheCardDidNotHaveIsReported) {
  rig_.Pop(Next());
  ExpectBroken("queue pair 0, request 0: handed back, but the card did not have it");
}

TEST_F(RingAuditorTest, RequestHandedBackBeforeItCompletedIsReported) {
  rig_.Pop(Pushed());
  ExpectBroken("queue pair 0, request 1: handed back before it completed");
}

}  // namespace
}  // namespace tools::scenario
