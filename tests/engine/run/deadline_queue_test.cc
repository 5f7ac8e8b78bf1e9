// The queue of time limits: order, ties, and what Expire does with each operation.
#include "engine/run/deadline_queue.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/engine/operation_state_fixture.h"

namespace engine::run {
namespace {

constexpr hwsim::TimePoint At(int64_t microseconds) {
  return hwsim::TimePoint(std::chrono::microseconds(microseconds));
}

class DeadlineQueueTest : public ::testing::Test {
 protected:
  bool Add(TestOperation& operation, int64_t microseconds) {
    operation.run.deadline = At(microseconds);
    return queue_.Add(operation);
  }
  // The operations that Expire passed to `stop` and to `tell`, in that order.
  struct Expired {
    std::vector<OperationState*> stopped, told;
  };
  Expired Expire(int64_t now, bool waits = true) {
    Expired expired;
    queue_.Expire(
        At(now),
        [&](OperationState& operation) {
          expired.stopped.push_back(&operation);
          return waits;
        },
        [&](OperationState& operation) {
          // Not under the lock: this would never return.
          static_cast<void>(queue_.Next());
          expired.told.push_back(&operation);
        });
    return expired;
  }
  using Operations = std::vector<OperationState*>;

  DeadlineQueue queue_;
  TestOperation first_, second_, third_;
};

TEST_F(DeadlineQueueTest, AddSaysWhetherTheTimerHasToWakeEarlier) {
  EXPECT_FALSE(queue_.Next());
  EXPECT_TRUE(Add(second_, 20));
  EXPECT_FALSE(Add(third_, 30));
  EXPECT_TRUE(Add(first_, 10));
  EXPECT_EQ(queue_.Next(), At(10));
}

TEST_F(DeadlineQueueTest, ExpireTakesOutWhatIsDueEarliestFirst) {
  Add(third_, 30);
  Add(first_, 10);
  Add(second_, 20);
  EXPECT_EQ(Expire(9).stopped, Operations());
  const Expired due = Expire(20);
  EXPECT_EQ(due.stopped, (Operations{&first_, &second_}));
  EXPECT_EQ(due.told, (Operations{&first_, &second_}));
  EXPECT_EQ(queue_.Next(), At(30));
  EXPECT_EQ(Expire(20).stopped, Operations()) << "each expires once";
}

TEST_F(DeadlineQueueTest, OperationThatDoesNotWaitIsTakenOutAndNotTold) {
  Add(first_, 10);
  const Expired due = Expire(10, false);
  EXPECT_EQ(due.stopped, Operations{&first_});
  EXPECT_EQ(due.told, Operations());
  EXPECT_FALSE(queue_.Next());
}

TEST_F(DeadlineQueueTest, RemoveTakesOutTheRightOneOfSeveralAtOneTime) {
  Add(first_, 10);
  Add(second_, 10);
  Add(third_, 10);
  queue_.Remove(second_);
  EXPECT_EQ(Expire(10).stopped, (Operations{&first_, &third_}));
}

TEST_F(DeadlineQueueTest, RemoveOfWhatHasExpiredChangesNothing) {
  Add(first_, 10);
  Add(second_, 10);
  queue_.Remove(first_);
  queue_.Remove(first_);
  EXPECT_EQ(queue_.Next(), At(10));
  EXPECT_EQ(Expire(10).stopped, Operations{&second_});
}

TEST_F(DeadlineQueueTest, ExpiredOperationIsStoppedAndTold) {
  first_.GoToPaused();
  Add(first_, 10);
  queue_.Expire(
      At(10),
      [](OperationState& operation) { return operation.phase.RequestStop(Outcome::kTimedOut); },
      [](OperationState& operation) { operation.phase.FinishTelling(Phase::kStopped); });
  EXPECT_EQ(first_.phase.now(), Phase::kStopped);
  EXPECT_EQ(first_.phase.stop_reason(), Outcome::kTimedOut);
}

}  // namespace
}  // namespace engine::run
