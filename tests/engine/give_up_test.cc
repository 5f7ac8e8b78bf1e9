// Runs that end before their requests: cancelled, timed out, or ended with the engine.

#include <array>

#include "tests/engine/engine_fixture.h"

namespace engine {
namespace {

using GiveUpTest = EngineFixture;

TEST_F(GiveUpTest, CancelTellsTheJobAndTheLateCompletionIsDropped) {
  Make(8);
  auto context = WaitContext::Create();
  OperationHandle* handle = nullptr;
  Fibre job(context, [&] {
    NullOperation operation;
    handle = &operation;
    return static_cast<int>(engine_->Run(operation));
  });
  engine_->Cancel(*handle);
  EXPECT_TRUE(Readable(WaitFdOf(*context)));
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kCancelled);
  EXPECT_EQ(engine_->in_flight(), 1u) << "the card still has the request";
  CompleteOneAndPoll();
  const Engine::Stats stats = engine_->stats();
  EXPECT_EQ(stats.late, 1u);
  EXPECT_EQ(stats.cancelled, 1u);
  EXPECT_EQ(stats.fd_signals, 1u) << "the late completion told the job again";
}

TEST_F(GiveUpTest, CancelledOperationLeavesTheRetryQueue) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create()};
  OperationHandle* handle = nullptr;
  Fibre holder(contexts[0], RunNull());
  Fibre cancelled(contexts[1], [&] {
    NullOperation operation;
    handle = &operation;
    return static_cast<int>(engine_->Run(operation));
  });
  Fibre next(contexts[2], RunNull());
  engine_->Cancel(*handle);
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[1])));
  CompleteOneAndPoll();
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[2])));
  EXPECT_EQ(cancelled.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(cancelled.result(), kCancelled);
  EXPECT_EQ(next.Resume(), waitctx::JobStatus::kPaused);
  CompleteOneAndPoll();
  EXPECT_EQ(next.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(GiveUpTest, CancelOfAGrantedOperationPassesTheSlotOn) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create()};
  OperationHandle* handle = nullptr;
  Fibre holder(contexts[0], RunNull());
  Fibre cancelled(contexts[1], [&] {
    NullOperation operation;
    handle = &operation;
    return static_cast<int>(engine_->Run(operation));
  });
  Fibre next(contexts[2], RunNull());
  CompleteOneAndPoll();
  engine_->Cancel(*handle);
  EXPECT_EQ(cancelled.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(cancelled.result(), kCancelled);
  engine_->Poll();  // the cancelled run told no other job
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[2])));
  EXPECT_EQ(next.Resume(), waitctx::JobStatus::kPaused);
  CompleteOneAndPoll();
  EXPECT_EQ(next.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(GiveUpTest, CancelAfterCompletionChangesNothing) {
  Make(8);
  auto context = WaitContext::Create();
  OperationHandle* handle = nullptr;
  Fibre job(context, [&] {
    NullOperation operation;
    handle = &operation;
    return static_cast<int>(engine_->Run(operation));
  });
  CompleteOneAndPoll();
  engine_->Cancel(*handle);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
}

TEST_F(GiveUpTest, CompletionBetweenCancelAndResumeWins) {
  Make(8);
  auto context = WaitContext::Create();
  OperationHandle* handle = nullptr;
  Fibre job(context, [&] {
    NullOperation operation;
    handle = &operation;
    return static_cast<int>(engine_->Run(operation));
  });
  engine_->Cancel(*handle);
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
  const Engine::Stats stats = engine_->stats();
  EXPECT_EQ(stats.late, 0u);
  EXPECT_EQ(stats.cancelled, 0u);
  EXPECT_EQ(stats.fd_signals, 1u);
}

TEST_F(GiveUpTest, DeadlineTellsTheJob) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull({.time_limit = std::chrono::milliseconds(5)}));
  ASSERT_TRUE(job.paused());
  ASSERT_TRUE(engine_->NextDeadline().has_value());
  const hwsim::TimePoint deadline = *engine_->NextDeadline();
  card_->virtual_clock().AdvanceTo(deadline - std::chrono::nanoseconds(1));
  engine_->Poll();
  EXPECT_FALSE(Readable(WaitFdOf(*context)));
  card_->virtual_clock().AdvanceTo(deadline);
  engine_->Poll();
  EXPECT_TRUE(Readable(WaitFdOf(*context)));
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kTimedOut);
  EXPECT_FALSE(engine_->NextDeadline().has_value());
}

TEST_F(GiveUpTest, DeadlineThatIsMetLeavesNoTimer) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull({.time_limit = std::chrono::milliseconds(5)}));
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
  EXPECT_FALSE(engine_->NextDeadline().has_value());
}

TEST_F(GiveUpTest, OperationStillOnTheCardIsBusyUntilTheCardLetsGo) {
  Make(8);
  auto context = WaitContext::Create();
  NullOperation operation;
  Fibre given_up(context, [&] { return static_cast<int>(engine_->Run(operation)); });
  engine_->Cancel(operation);
  EXPECT_EQ(given_up.Resume(), waitctx::JobStatus::kFinished);
  Fibre busy(context, [&] { return static_cast<int>(engine_->Run(operation)); });
  EXPECT_EQ(busy.result(), static_cast<int>(Outcome::kBusy));
  CompleteOneAndPoll();
  Fibre again(context, [&] { return static_cast<int>(engine_->Run(operation)); });
  CompleteOneAndPoll();
  EXPECT_EQ(again.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(again.result(), kOk);
}

TEST_F(GiveUpTest, EngineEndsWithGivenUpOperationsStillOnTheCard) {
  Make(8);
  auto context = WaitContext::Create();
  {
    OperationHandle* handle = nullptr;
    Fibre job(context, [&] {
      NullOperation operation;
      handle = &operation;
      return static_cast<int>(engine_->Run(operation));
    });
    engine_->Cancel(*handle);
    EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  }
  NullOperation outlives_the_engine;
  Fibre job(context, [&] { return static_cast<int>(engine_->Run(outlives_the_engine)); });
  engine_->Cancel(outlives_the_engine);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  engine_.reset();  // the leak checker finds an operation that is not freed
}

}  // namespace
}  // namespace engine
