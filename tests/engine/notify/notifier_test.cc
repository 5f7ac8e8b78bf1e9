// The notifier without an engine: what Attach finds, which way Tell goes, and what Take leaves.
#include "engine/notify/notifier.h"

#include <gtest/gtest.h>

#include <span>
#include <thread>

#include "hwsim/base/fd.h"
#include "tests/engine/operation_state_fixture.h"
#include "waitctx/wait_context.h"

namespace engine::notify {
namespace {

using Awaited = Notifier::Awaited;
using waitctx::WaitContext;
using waitctx::WaitContextRef;

class NotifierTest : public ::testing::Test {
 protected:
  NotifierTest() { operation_.run.context = context_.get(); }
  bool Readable() const {
    int fd = -1;
    EXPECT_EQ(context_->wait_fd_count(), 1u);
    context_->CopyWaitFds(std::span(&fd, 1));
    return hwsim::IsReadable(fd);
  }
  void SetCallback() {
    context_->SetCallback({[](void* calls) { return ++*static_cast<int*>(calls); }, &calls_});
  }
  // Goes to wait for a completion, and is told.
  void PauseAndTell() {
    operation_.GoToPaused();
    ASSERT_EQ(operation_.phase.OnCompletion(), run::RunPhase::CompletionAnswer::kTellOwner);
    notifier_.Tell(operation_, run::Phase::kDone);
    EXPECT_EQ(operation_.phase.now(), run::Phase::kDone);
  }

  int key_ = 0;
  int calls_ = 0;
  Notifier notifier_{&key_, nullptr};
  WaitContextRef context_ = WaitContext::Create();
  TestOperation operation_;
};

TEST_F(NotifierTest, AttachMakesOneWaitFdForAllRunsOfAContext) {
  TestOperation other;
  other.run.context = context_.get();
  EXPECT_TRUE(notifier_.Attach(operation_, Awaited::kCompletion));
  EXPECT_TRUE(notifier_.Attach(other, Awaited::kSpace));
  EXPECT_EQ(context_->wait_fd_count(), 1u);
  EXPECT_EQ(operation_.run.notify.line, other.run.notify.line);
  EXPECT_FALSE(Readable());
}

TEST_F(NotifierTest, AttachMakesNoFdWhereItIsNotNeeded) {
  SetCallback();
  EXPECT_FALSE(notifier_.Attach(operation_, Awaited::kCompletion));
  EXPECT_EQ(context_->wait_fd_count(), 0u);
  context_->SetCallback({});
  operation_.run.synchronous = true;
  EXPECT_FALSE(notifier_.Attach(operation_, Awaited::kCompletion));
  EXPECT_EQ(context_->wait_fd_count(), 0u);
}

TEST_F(NotifierTest, AttachAgainFollowsTheContext) {
  SetCallback();
  EXPECT_FALSE(notifier_.Attach(operation_, Awaited::kSpace));
  context_->SetCallback({});
  EXPECT_TRUE(notifier_.Attach(operation_, Awaited::kCompletion)) << "the callback is gone";
  SetCallback();
  EXPECT_FALSE(notifier_.Attach(operation_, Awaited::kCompletion)) << "and is back";
}

TEST_F(NotifierTest, FdIsReadableFromTellToTake) {
  ASSERT_TRUE(notifier_.Attach(operation_, Awaited::kCompletion));
  PauseAndTell();
  EXPECT_TRUE(Readable());
  notifier_.Take(operation_);
  EXPECT_FALSE(Readable());
  notifier_.Take(operation_);
  EXPECT_FALSE(Readable()) << "there was one token";
  EXPECT_EQ(notifier_.counts().fd_signals, 1u);
}

TEST_F(NotifierTest, NextTryMakesTheFdReadableAtOnce) {
  ASSERT_TRUE(notifier_.Attach(operation_, Awaited::kNextTry));
  EXPECT_TRUE(Readable());
  notifier_.Clear(operation_);
  EXPECT_TRUE(Readable()) << "its token was not taken";
  notifier_.Take(operation_);
  EXPECT_FALSE(Readable());
}

TEST_F(NotifierTest, CallbackIsCalledOnceAndNotTheFd) {
  ASSERT_TRUE(notifier_.Attach(operation_, Awaited::kCompletion));
  SetCallback();  // after the owner went to wait
  PauseAndTell();
  EXPECT_EQ(calls_, 1);
  EXPECT_FALSE(Readable());
  EXPECT_EQ(notifier_.counts().callbacks, 1u);
}

TEST_F(NotifierTest, SpaceIsToldByFdThoughThereIsACallback) {
  ASSERT_TRUE(notifier_.Attach(operation_, Awaited::kSpace));
  SetCallback();
  operation_.GoToQueued();
  ASSERT_TRUE(operation_.phase.BeginGrant());
  notifier_.Tell(operation_, run::Phase::kGranted);
  EXPECT_EQ(operation_.phase.now(), run::Phase::kGranted);
  EXPECT_EQ(calls_, 0);
  EXPECT_TRUE(Readable());
}

TEST_F(NotifierTest, ClosedContextIsNotTold) {
  ASSERT_TRUE(notifier_.Attach(operation_, Awaited::kCompletion));
  SetCallback();
  context_->Close();
  PauseAndTell();
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(notifier_.counts().not_told, 1u);
  notifier_.Take(operation_);
}

TEST_F(NotifierTest, InPlaceOwnerWakesWhenItIsTold) {
  operation_.run.synchronous = true;
  notifier_.Attach(operation_, Awaited::kCompletion);
  operation_.GoToPaused();
  std::thread owner([&] {
    for (run::Phase phase = operation_.phase.now(); run::RunPhase::IsWaiting(phase);
         phase = operation_.phase.now()) {
      notifier_.WaitWhile(operation_, phase, std::chrono::seconds(60));
    }
  });
  ASSERT_EQ(operation_.phase.OnCompletion(), run::RunPhase::CompletionAnswer::kTellOwner);
  notifier_.Tell(operation_, run::Phase::kDone);
  owner.join();
  EXPECT_EQ(operation_.phase.now(), run::Phase::kDone);
}

}  // namespace
}  // namespace engine::notify
