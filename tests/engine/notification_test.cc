// How a job is told that its operation is done: by fd, by callback, in each race window held open
// on purpose, and not at all when its context is closed.

#include <functional>
#include <thread>

#include "tests/engine/engine_fixture.h"

namespace engine {
namespace {

using NotificationTest = EngineFixture;

// --- told by fd ---

TEST_F(NotificationTest, WaitFdIsReadableWhenTheResultIs) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  ASSERT_TRUE(job.paused());
  EXPECT_EQ(context->status(), kStatusOk);
  const int fd = WaitFdOf(*context);
  EXPECT_FALSE(Readable(fd));
  CompleteOneAndPoll();
  EXPECT_TRUE(Readable(fd));
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(Result(job), kOk);
  EXPECT_FALSE(Readable(fd)) << "the token was not taken";
}

TEST_F(NotificationTest, WaitFdIsTheSameForEachOperationOfAContext) {
  Make(8);
  auto context = WaitContext::Create();
  int first = -1;
  for (int i = 0; i < 3; ++i) {
    Fibre job(context, RunNull());
    ASSERT_TRUE(job.paused());
    const int fd = WaitFdOf(*context);
    if (i == 0) first = fd;
    EXPECT_EQ(fd, first);
    EXPECT_EQ(context->changed_fd_counts().added, i == 0 ? 1u : 0u) << i;
    CompleteOneAndPoll();
    EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  }
}

TEST_F(NotificationTest, ResumeWithoutNotificationPausesAgain) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(engine_->stats().spurious_resumes, 3u);
}

TEST_F(NotificationTest, ResumeWithoutNotificationLeavesTheSignalOfTheOtherJob) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre first(context, RunNull());
  Fibre second(context, RunNull());
  const int fd = WaitFdOf(*context);
  CompleteOneAndPoll();
  EXPECT_EQ(second.Resume(), waitctx::JobStatus::kPaused) << "the first was told, not the second";
  EXPECT_TRUE(Readable(fd)) << "the first job's wake-up was taken by the second";
  EXPECT_EQ(first.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_FALSE(Readable(fd));
  CompleteOneAndPoll();
  EXPECT_TRUE(Readable(fd));
  EXPECT_EQ(second.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(NotificationTest, WaitFdIsReadableUntilBothFinishedJobsOfAContextHaveRun) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre first(context, RunNull());
  Fibre second(context, RunNull());
  const int fd = WaitFdOf(*context);
  CompleteOneAndPoll();
  CompleteOneAndPoll();
  EXPECT_EQ(first.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_TRUE(Readable(fd));
  EXPECT_EQ(second.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_FALSE(Readable(fd));
}

TEST_F(NotificationTest, SeveralPausesInOneJob) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, [this] {
    NullOperation operation;
    for (int i = 0; i < 5; ++i) {
      if (engine_->Run(operation) != Outcome::kOk) return -1;
    }
    return 5;
  });
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(job.paused());
    CompleteOneAndPoll();
    EXPECT_TRUE(Readable(WaitFdOf(*context)));
    static_cast<void>(job.Resume());
  }
  EXPECT_EQ(job.result(), 5);
}

// --- told by callback ---

TEST_F(NotificationTest, CallbackRunsOnceAndNoFdIsMade) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  context->SetCallback(count.callback());
  Fibre job(context, RunNull());
  ASSERT_TRUE(job.paused());
  EXPECT_EQ(count.calls, 0);
  CompleteOneAndPoll();
  EXPECT_EQ(count.calls, 1);
  EXPECT_EQ(context->wait_fd_count(), 0u);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(count.calls, 1);
}

TEST_F(NotificationTest, ReplacedCallbackIsNotCalled) {
  Make(8);
  CallbackCount old_one, new_one;
  auto context = WaitContext::Create();
  context->SetCallback(old_one.callback());
  Fibre job(context, RunNull());
  context->SetCallback(new_one.callback());
  CompleteOneAndPoll();
  EXPECT_EQ(old_one.calls, 0);
  EXPECT_EQ(new_one.calls, 1);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(NotificationTest, CallbackSetInFlightIsCalledInsteadOfTheFd) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  context->SetCallback(count.callback());
  CompleteOneAndPoll();
  EXPECT_EQ(count.calls, 1);
  EXPECT_FALSE(Readable(WaitFdOf(*context))) << "told twice";
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(NotificationTest, CallbackMayResumeTheJobItself) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  context->SetCallback(count.callback());
  Fibre job(context, RunNull());
  count.then = [&] { EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished); };
  CompleteOneAndPoll();
  EXPECT_EQ(job.result(), kOk);
}

TEST_F(NotificationTest, CallbackMayCloseTheContext) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  context->SetCallback(count.callback());
  Fibre job(context, RunNull());
  count.then = [&] { context->Close(); };
  CompleteOneAndPoll();
  EXPECT_EQ(count.calls, 1);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
}

// --- race windows, held open ---

// The binding to our own jobs, with a hook that runs just before a job pauses.
class HookedJobs final : public JobBinding {
 public:
  bool CanPause() const override { return own_.CanPause(); }
  WaitContext* Context() const override { return own_.Context(); }
  bool Pause(const PausedRun& run) const override {
    if (before_pause) before_pause();
    return own_.Pause(run);
  }
  void End(waitctx::WaitContext*) const override {}

  mutable std::function<void()> before_pause;

 private:
  OwnJobs own_;
};

TEST_F(NotificationTest, CompletionBeforeThePauseIsFoundWithoutNotification) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  context->SetCallback(count.callback());
  // The request completes inside the submit. Another thread handles the completion before the job
  // goes to wait.
  bool popped = false;
  channel_->on_push = [&] {
    channel_->CompleteOne();
    std::thread([&] { popped = engine_->Poll() == 1; }).join();
  };
  Fibre job(context, RunNull());
  EXPECT_TRUE(popped);
  EXPECT_FALSE(job.paused());
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(count.calls, 0) << "the job does not wait, so its callback must not run";
}

TEST_F(NotificationTest, CompletionDuringThePauseTellsBeforeTheApplicationHasControl) {
  HookedJobs hooked;
  Make(8, {.binding = &hooked});
  auto context = WaitContext::Create();
  hooked.before_pause = [this] { CompleteOneAndPoll(); };
  Fibre job(context, RunNull());
  ASSERT_TRUE(job.paused());
  EXPECT_TRUE(Readable(WaitFdOf(*context)));
  hooked.before_pause = nullptr;
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
  EXPECT_FALSE(Readable(WaitFdOf(*context)));
}

TEST_F(NotificationTest, SpaceDuringThePauseTellsBeforeTheApplicationHasControl) {
  HookedJobs hooked;
  Make(1, {.binding = &hooked});
  auto holder_context = WaitContext::Create();
  auto context = WaitContext::Create();
  Fibre holder(holder_context, RunNull());
  hooked.before_pause = [this] { CompleteOneAndPoll(); };
  Fibre job(context, RunNull());
  hooked.before_pause = nullptr;
  ASSERT_TRUE(job.paused());
  EXPECT_TRUE(Readable(WaitFdOf(*context)));
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

// --- contexts that are closed in flight ---

TEST_F(NotificationTest, ContextClosedBeforeTheCompletionIsNotTold) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  context->SetCallback(count.callback());
  Fibre job(context, RunNull());
  context->Close();
  CompleteOneAndPoll();
  EXPECT_EQ(count.calls, 0);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(engine_->stats().not_told, 1u);
}

TEST_F(NotificationTest, ContextWithAnFdClosedBeforeTheCompletionIsNotTold) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  context->Close();
  EXPECT_EQ(context->wait_fd_count(), 0u);
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(engine_->stats().fd_signals, 0u);
}

TEST_F(NotificationTest, ContextClosedAfterTheCompletionLeavesNothingBehind) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  CompleteOneAndPoll();
  context->Close();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
}

}  // namespace
}  // namespace engine
