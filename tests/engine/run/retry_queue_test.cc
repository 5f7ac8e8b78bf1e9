// The retry queue without an engine, at a queue pair whose slots come free when the test says so:
// order, refusal, grants, and how operations leave.
#include "engine/run/retry_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "engine/notify/notifier.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/operations/request.h"
#include "hwsim/rings/queue_pair.h"
#include "hwsim/testing/scripted_card.h"
#include "tests/engine/operation_state_fixture.h"
#include "waitctx/wait_context.h"

namespace engine::run {
namespace {

using hwsim::operations::SubmitStatus;
using Admission = hwsim::rings::QueuePair::Admission;
using waitctx::WaitContext;
using waitctx::WaitContextRef;

// A queue pair of depth 2, and operations that are waiting for it or about to.
class RetryQueueTest : public ::testing::Test {
 protected:
  explicit RetryQueueTest(const hwsim::faults::FaultPlan& faults = {}) : card_(2, faults) {}

  // The owner's steps, as a run does them.
  SubmitStatus Submit(OperationState& operation, bool granted = false) {
    if (RunPhase::IsAtRest(operation.phase.now())) static_cast<void>(operation.phase.Begin());
    operation.phase.BeginSubmit();
    const SubmitStatus status = queue_.Submit(operation, granted);
    if (status != SubmitStatus::kOk) operation.phase.SubmitRefused();
    return status;
  }
  SubmitStatus SubmitGranted(OperationState& operation) { return Submit(operation, true); }
  // The operation finds no slot and waits.
  void Queue(OperationState& operation) {
    ASSERT_EQ(Submit(operation), SubmitStatus::kAgain);
    ASSERT_FALSE(queue_.Add(operation, false));
    ASSERT_EQ(operation.phase.now(), Phase::kQueued);
  }
  // The application closes the context that the operation runs in.
  static void CloseContextOf(OperationState& operation) { operation.run.context->Close(); }

  void Fill() {
    for (TestOperation& operation : on_card_) ASSERT_EQ(Submit(operation), SubmitStatus::kOk);
  }
  // The oldest request on the card completes and is popped: a slot is free, and not granted yet.
  void FreeSlot() {
    ASSERT_TRUE(card_.channel().CompleteOne());
    hwsim::operations::Request* completed = nullptr;
    ASSERT_EQ(queue_pair_.PopCompleted({&completed, 1}), 1u);
  }
  void FreeSlotAndGrant() {
    FreeSlot();
    queue_.Grant();
  }
  // Frees and grants slots one at a time. Returns the operations in the order of their grants; each
  // submits when it is granted.
  std::vector<OperationState*> GrantOneByOne(std::vector<OperationState*> waiting) {
    std::vector<OperationState*> order;
    for (size_t turns = waiting.size(); turns > 0; --turns) {
      FreeSlotAndGrant();
      for (OperationState* operation : waiting) {
        if (operation->phase.now() != Phase::kGranted) continue;
        order.push_back(operation);
        EXPECT_EQ(SubmitGranted(*operation), SubmitStatus::kOk);
      }
    }
    return order;
  }
  using Operations = std::vector<OperationState*>;

  hwsim::testing::ScriptedCard card_;
  hwsim::rings::QueuePair& queue_pair_ = *card_.queue_pairs()[0];
  int key_ = 0;
  notify::Notifier notifier_{&key_, nullptr};
  RetryQueue queue_{queue_pair_, notifier_};
  std::array<TestOperation, 2> on_card_;
  TestOperation first_, second_, third_, newcomer_;
};

// --- refusal ---

TEST_F(RetryQueueTest, SubmitsWhileThereAreSlotsAndRefusesAfterwards) {
  Fill();
  EXPECT_EQ(queue_pair_.in_flight(), 2u);
  EXPECT_EQ(Submit(newcomer_), SubmitStatus::kAgain);
  EXPECT_FALSE(queue_.crowded()) << "a refused operation waits only once it was added";
  FreeSlot();
  EXPECT_EQ(Submit(newcomer_), SubmitStatus::kOk);
}

TEST_F(RetryQueueTest, NewcomerDoesNotPassAnOperationThatWaits) {
  Fill();
  Queue(first_);
  FreeSlot();
  EXPECT_EQ(Submit(newcomer_), SubmitStatus::kAgain) << "the slot is the first's, told or not";
  queue_.Grant();
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
  EXPECT_EQ(Submit(newcomer_), SubmitStatus::kAgain) << "the granted slot is kept";
  EXPECT_EQ(SubmitGranted(first_), SubmitStatus::kOk);
  EXPECT_FALSE(queue_.crowded());
  FreeSlot();
  EXPECT_EQ(Submit(newcomer_), SubmitStatus::kOk);
}

TEST_F(RetryQueueTest, NewcomerTakesASlotThatNoGrantKeeps) {
  Fill();
  Queue(first_);
  FreeSlot();
  FreeSlotAndGrant();
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
  EXPECT_EQ(Submit(newcomer_), SubmitStatus::kOk);
  EXPECT_EQ(Submit(second_), SubmitStatus::kAgain);
  EXPECT_EQ(SubmitGranted(first_), SubmitStatus::kOk);
}

// --- order ---

TEST_F(RetryQueueTest, SlotsAreGrantedInTheOrderOfArrival) {
  Fill();
  Queue(first_);
  Queue(second_);
  Queue(third_);
  EXPECT_EQ(GrantOneByOne({&third_, &second_, &first_}), (Operations{&first_, &second_, &third_}));
  EXPECT_FALSE(queue_.crowded());
}

TEST_F(RetryQueueTest, EachFreeSlotIsGrantedToOneOperation) {
  Fill();
  Queue(first_);
  Queue(second_);
  Queue(third_);
  FreeSlot();
  FreeSlotAndGrant();
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
  EXPECT_EQ(second_.phase.now(), Phase::kGranted);
  EXPECT_EQ(third_.phase.now(), Phase::kQueued);
  queue_.Grant();
  EXPECT_EQ(third_.phase.now(), Phase::kQueued) << "the unclaimed grants keep both slots";
}

TEST_F(RetryQueueTest, SynchronousCallersGoFirstAndKeepTheirOrder) {
  Fill();
  second_.run.synchronous = third_.run.synchronous = true;
  Queue(first_);
  Queue(second_);
  Queue(third_);
  EXPECT_EQ(GrantOneByOne({&first_, &second_, &third_}), (Operations{&second_, &third_, &first_}));
}

// The thread that waits in place may be the one that would claim the job's grant.
TEST_F(RetryQueueTest, SynchronousCallerTakesTheSlotOfAnUnclaimedGrant) {
  Fill();
  Queue(first_);
  FreeSlotAndGrant();
  ASSERT_EQ(first_.phase.now(), Phase::kGranted);
  newcomer_.run.synchronous = true;
  EXPECT_EQ(Submit(newcomer_), SubmitStatus::kOk);
  EXPECT_EQ(SubmitGranted(first_), SubmitStatus::kAgain) << "its slot is taken";
  EXPECT_FALSE(queue_.Add(first_, true));
  FreeSlotAndGrant();
  EXPECT_EQ(SubmitGranted(first_), SubmitStatus::kOk);
}

TEST_F(RetryQueueTest, OperationWhoseGrantedSlotWasNotThereIsTheNext) {
  Fill();
  Queue(first_);
  Queue(second_);
  FreeSlotAndGrant();
  newcomer_.run.synchronous = true;
  ASSERT_EQ(Submit(newcomer_), SubmitStatus::kOk);
  ASSERT_EQ(SubmitGranted(first_), SubmitStatus::kAgain);
  EXPECT_FALSE(queue_.Add(first_, true));
  EXPECT_EQ(GrantOneByOne({&second_, &first_}), (Operations{&first_, &second_}));
}

// --- wake on space ---

TEST_F(RetryQueueTest, GrantTellsTheOwner) {
  WaitContextRef context = WaitContext::Create();
  first_.run.context = context.get();
  Fill();
  Queue(first_);
  ASSERT_TRUE(notifier_.Attach(first_, notify::Notifier::Awaited::kSpace));
  queue_.Grant();
  EXPECT_EQ(notifier_.counts().fd_signals, 0u) << "told without a slot";
  FreeSlotAndGrant();
  EXPECT_EQ(notifier_.counts().fd_signals, 1u);
  queue_.Grant();
  EXPECT_EQ(notifier_.counts().fd_signals, 1u) << "told twice";
}

// The slot came free when the owner had been refused and no thread could see yet that it waits.
TEST_F(RetryQueueTest, SlotFreedBeforeAddIsGrantedByAdd) {
  Fill();
  ASSERT_EQ(Submit(first_), SubmitStatus::kAgain);
  FreeSlotAndGrant();
  EXPECT_TRUE(queue_.Add(first_, false));
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
  EXPECT_EQ(notifier_.counts().not_told, 0u) << "the owner is not told: it is running";
  EXPECT_EQ(Submit(newcomer_), SubmitStatus::kAgain);
  EXPECT_EQ(SubmitGranted(first_), SubmitStatus::kOk);
}

TEST_F(RetryQueueTest, AddDoesNotTakeTheSlotOfTheOperationBefore) {
  Fill();
  Queue(first_);
  FreeSlot();
  ASSERT_EQ(Submit(second_), SubmitStatus::kAgain);
  EXPECT_FALSE(queue_.Add(second_, false));
  EXPECT_TRUE(queue_.NeedsGrant());
  queue_.Grant();
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
  EXPECT_EQ(second_.phase.now(), Phase::kQueued);
}

TEST_F(RetryQueueTest, NeedsGrantSaysWhetherGrantWouldTell) {
  EXPECT_FALSE(queue_.NeedsGrant());
  Fill();
  Queue(first_);
  EXPECT_FALSE(queue_.NeedsGrant()) << "no slot is free";
  FreeSlot();
  EXPECT_TRUE(queue_.NeedsGrant());
  queue_.Grant();
  EXPECT_FALSE(queue_.NeedsGrant()) << "no operation waits";
}

TEST_F(RetryQueueTest, NoSlotIsFreeWhileTheCardIsDown) {
  Fill();
  Queue(first_);
  queue_pair_.SetAdmission(Admission::kClosed);
  FreeSlotAndGrant();
  EXPECT_EQ(first_.phase.now(), Phase::kQueued);
  queue_pair_.SetAdmission(Admission::kOpen);
  queue_.Grant();
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
}

TEST_F(RetryQueueTest, LostCardLetsAllSubmitAndBeRefused) {
  Fill();
  Queue(first_);
  Queue(second_);
  Queue(third_);
  queue_pair_.SetAdmission(Admission::kClosedForGood);
  queue_.Grant();
  for (TestOperation* operation : {&first_, &second_, &third_}) {
    ASSERT_EQ(operation->phase.now(), Phase::kGranted);
    EXPECT_EQ(SubmitGranted(*operation), SubmitStatus::kError);
  }
  EXPECT_FALSE(queue_.crowded());
}

// --- leaving ---

TEST_F(RetryQueueTest, RemovedOperationIsPassedOver) {
  Fill();
  Queue(first_);
  Queue(second_);
  Queue(third_);
  queue_.Remove(second_);
  EXPECT_EQ(GrantOneByOne({&first_, &third_}), (Operations{&first_, &third_}));
  EXPECT_EQ(second_.phase.now(), Phase::kQueued) << "its owner moves it on";
  EXPECT_FALSE(queue_.crowded());
}

TEST_F(RetryQueueTest, RemoveOfAnOperationThatIsNotInTheQueueChangesNothing) {
  Fill();
  Queue(first_);
  queue_.Remove(newcomer_);
  queue_.Remove(second_);
  EXPECT_TRUE(queue_.crowded());
  FreeSlotAndGrant();
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
}

TEST_F(RetryQueueTest, RemovedGrantIsFreeForTheNext) {
  Fill();
  Queue(first_);
  Queue(second_);
  FreeSlotAndGrant();
  ASSERT_EQ(first_.phase.now(), Phase::kGranted);
  EXPECT_FALSE(queue_.NeedsGrant());
  queue_.Remove(first_);
  EXPECT_EQ(second_.phase.now(), Phase::kQueued) << "Remove tells no owner";
  EXPECT_TRUE(queue_.NeedsGrant());
  queue_.Grant();
  EXPECT_EQ(second_.phase.now(), Phase::kGranted);
}

TEST_F(RetryQueueTest, StoppedOperationIsGrantedNothing) {
  Fill();
  Queue(first_);
  Queue(second_);
  ASSERT_TRUE(first_.phase.RequestStop(Outcome::kCancelled));
  FreeSlotAndGrant();
  EXPECT_EQ(first_.phase.now(), Phase::kTelling) << "the thread that stops it moves it on";
  EXPECT_EQ(second_.phase.now(), Phase::kGranted);
  first_.phase.FinishTelling(Phase::kStopped);
  queue_.Remove(first_);
  EXPECT_EQ(SubmitGranted(second_), SubmitStatus::kOk);
  EXPECT_FALSE(queue_.crowded());
}

TEST_F(RetryQueueTest, OperationOfAClosedContextLeavesTheQueue) {
  WaitContextRef context = WaitContext::Create();
  first_.run.context = context.get();
  Fill();
  Queue(first_);
  Queue(second_);
  CloseContextOf(first_);
  FreeSlotAndGrant();
  EXPECT_EQ(first_.phase.now(), Phase::kRetry);
  EXPECT_EQ(second_.phase.now(), Phase::kGranted);
}

TEST_F(RetryQueueTest, GrantOfAClosedContextIsPassedOn) {
  WaitContextRef context = WaitContext::Create();
  first_.run.context = context.get();
  Fill();
  Queue(first_);
  Queue(second_);
  FreeSlotAndGrant();
  ASSERT_EQ(first_.phase.now(), Phase::kGranted);
  CloseContextOf(first_);
  queue_.Grant();
  EXPECT_EQ(second_.phase.now(), Phase::kGranted);
  EXPECT_EQ(SubmitGranted(first_), SubmitStatus::kAgain) << "the free slot is the second's";
  EXPECT_EQ(SubmitGranted(second_), SubmitStatus::kOk);
}

// The third submit, which is the first after the two that fill the queue pair, finds a fault.
class RetryQueueFaultTest : public RetryQueueTest {
 protected:
  RetryQueueFaultTest()
      : RetryQueueTest({{{.kind = hwsim::faults::FaultKind::kRingFull, .nth = 3, .times = 1}}}) {}
};

// Otherwise it would be granted the slot again inside Add, and submit and be refused without end.
TEST_F(RetryQueueFaultTest, AddAtTheHeadDoesNotGrantAtOnce) {
  Fill();
  Queue(first_);
  Queue(second_);
  FreeSlotAndGrant();
  EXPECT_EQ(SubmitGranted(first_), SubmitStatus::kAgain) << "the fault's answer";
  EXPECT_FALSE(queue_.Add(first_, true));
  EXPECT_EQ(first_.phase.now(), Phase::kQueued);
  EXPECT_TRUE(queue_.NeedsGrant());
  queue_.Grant();
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
  EXPECT_EQ(second_.phase.now(), Phase::kQueued);
}

TEST_F(RetryQueueFaultTest, SynchronousCallerGoesBackBeforeTheOtherSynchronousCallers) {
  first_.run.synchronous = second_.run.synchronous = true;
  Fill();
  Queue(first_);
  Queue(second_);
  FreeSlotAndGrant();
  EXPECT_EQ(SubmitGranted(first_), SubmitStatus::kAgain) << "the fault's answer";
  EXPECT_FALSE(queue_.Add(first_, true));
  queue_.Grant();
  EXPECT_EQ(first_.phase.now(), Phase::kGranted);
  EXPECT_EQ(second_.phase.now(), Phase::kQueued);
}

}  // namespace
}  // namespace engine::run
