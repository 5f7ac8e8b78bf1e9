// CardTest and its matchers, tried on correct code and on wrong code.
#include "hwsim/testing/card_test.h"

#include <gtest/gtest-spi.h>

#include <chrono>
#include <functional>
#include <optional>

#include "hwsim/base/fd.h"

namespace hwsim::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Not;

// An engine that retries at every poll and notifies its caller `tells` times.
class EagerEngine {
 public:
  EagerEngine(rings::QueuePair& queue_pair, int tells) : queue_pair_(queue_pair), tells_(tells) {}
  void Run(operations::Request& request, std::function<void()> done) {
    request_ = &request;
    done_ = std::move(done);
    Try();
  }
  void Poll() {
    if (waiting_) Try();
    operations::Request* completed = nullptr;
    if (queue_pair_.PopCompleted({&completed, 1}) == 0) return;
    for (int i = 0; i < tells_; ++i) done_();
  }

 private:
  void Try() { waiting_ = queue_pair_.Submit(*request_) == operations::SubmitStatus::kAgain; }

  rings::QueuePair& queue_pair_;
  const int tells_;
  operations::Request* request_ = nullptr;
  std::function<void()> done_;
  bool waiting_ = false;
};

class CardTestMatchersTest : public CardTest {
 protected:
  void Run(int tells) {
    engine_.emplace(queue_pair(), tells);
    OnStep([this] { engine_->Poll(); });
    engine_->Run(request_, told_.AsFunction());
  }
  operations::Request request_;
  Told told_;
  std::optional<EagerEngine> engine_;
};

TEST_F(CardTestMatchersTest, NotificationComesWhenTheCardIsDone) {
  UseCard({.service = 10us});
  Run(1);
  EXPECT_THAT(told_, Not(IsToldWithin(9us)));
  EXPECT_THAT(told_, IsToldWithin(1us));
  EXPECT_EQ(clock().Now().time_since_epoch(), 10us);
}

TEST_F(CardTestMatchersTest, CompletesExactlyOnceRefusesNeverAndTwice) {
  UseCard(Setup{});
  Run(2);
  EXPECT_THAT(told_, Not(CompletesExactlyOnce(5us)));  // not yet
  EXPECT_THAT(told_, Not(CompletesExactlyOnce()));     // twice
  EXPECT_EQ(told_.times(), 2u);
}

TEST_F(CardTestMatchersTest, CountsRetries) {
  UseCard({.faults = RingFullAtFirst(3)});
  Run(1);
  EXPECT_THAT(told_, IsToldWithin(20us));
  EXPECT_THAT(told_, CompletesExactlyOnce());
  EXPECT_THAT(card(), RetriesAtMost(3));
  EXPECT_THAT(card(), Not(RetriesAtMost(2)));
}

TEST_F(CardTestMatchersTest, ScriptedCardCompletesOnlyWhatTheTestCompletes) {
  UseScriptedCard(1);
  Run(1);
  EXPECT_THAT(told_, Not(IsToldWithin(1ms)));
  EXPECT_EQ(script().on_card(), 1u);
  ASSERT_TRUE(script().CompleteOne(operations::CompletionStatus::kDeviceError));
  EXPECT_THAT(told_, IsToldWithin(0us));
  EXPECT_EQ(request_.status, operations::CompletionStatus::kDeviceError);
}

TEST_F(CardTestMatchersTest, ScriptedCardHasFaultsAtSubmit) {
  UseScriptedCard(1, RingFullAtFirst(2));
  Run(1);
  EXPECT_THAT(told_, Not(IsToldWithin(1us)));
  EXPECT_THAT(card(), RetriesAtMost(2));
  EXPECT_EQ(card().fault_log().Events().size(), 2u);
  ASSERT_TRUE(script().CompleteOne());
  EXPECT_THAT(told_, CompletesExactlyOnce());
}

TEST_F(CardTestMatchersTest, DescriptorsAndCallbacksNotifyToo) {
  UseCard({.service = 10us});
  const EventFd line = EventFd::Create().value();
  engine_.emplace(queue_pair(), 1);
  OnStep([this] { engine_->Poll(); });
  engine_->Run(request_, [&] {
    line.Signal();
    Told::Callback(&told_);
  });
  EXPECT_THAT(line.fd(), Not(IsReadableWithin(9us)));
  EXPECT_THAT(line.fd(), IsReadableWithin(1us));
  EXPECT_EQ(told_.times(), 1u);
}

// Ends with its request on the card, which is an error.
class LeavesARequest : public CardTest {
 public:
  void TestBody() override {
    UseCard(Setup{});
    static operations::Request request;
    EXPECT_EQ(queue_pair().Submit(request), operations::SubmitStatus::kOk);
    TearDown();
  }
};

TEST(CardTestTest, FailsATestThatLeavesItsRequestsOnTheCard) {
  EXPECT_NONFATAL_FAILURE(LeavesARequest().TestBody(), "ends with 1 requests on the card");
}

TEST(CardTestTest, ScriptedCardStepsByCompletingItsOldestRequest) {
  ScriptedCard card(4);
  ASSERT_NE(card.time_driver(), nullptr);
  EXPECT_FALSE(card.single_threaded());
  EXPECT_FALSE(card.time_driver()->Step()) << "no request is on the card";
  operations::Request request;
  ASSERT_EQ(card.queue_pairs()[0]->Submit(request), operations::SubmitStatus::kOk);
  EXPECT_FALSE(card.time_driver()->StepUntil(card.clock().Now() + 1s));
  EXPECT_FALSE(request.done.load());
  EXPECT_TRUE(card.time_driver()->Step());
  EXPECT_TRUE(request.done.load());
}

TEST(CardTestTest, SaysWhatTheCardDid) {
  const ScriptedCard card(4);
  EXPECT_EQ(::testing::PrintToString(static_cast<const card::Card&>(card)),
            "scripted card, queue pair 0: accepted 0, answered kAgain 0 and kError 0, "
            "succeeded 0, failed 0, in flight 0");
}

}  // namespace
}  // namespace hwsim::testing
