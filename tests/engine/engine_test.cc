// The engine against a card that does just what each test says: every answer of a submit, every
// way to be told, and each race window held open on purpose.

#include <array>
#include <deque>
#include <thread>
#include <vector>

#include "tests/engine/engine_fixture.h"

namespace engine {
namespace {

// Pauses like a job, and runs a hook at the moment before.
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

// --- told by fd ---

TEST_F(EngineTest, WaitFdIsReadableWhenTheResultIs) {
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

TEST_F(EngineTest, WaitFdIsTheSameForEachOperationOfAContext) {
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

TEST_F(EngineTest, ResumeThatNobodyAnnouncedPausesAgain) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(engine_->stats().spurious_resumes, 3u);
}

TEST_F(EngineTest, ResumeBeforeBeingToldLeavesTheFdForTheOtherJobOfTheContext) {
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

TEST_F(EngineTest, TwoJobsOfOneContextDoneAtOnceKeepTheFdReadableUntilBothHaveRun) {
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

TEST_F(EngineTest, SeveralPausesInOneJob) {
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

TEST_F(EngineTest, CallbackRunsOnceAndNoFdIsMade) {
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

TEST_F(EngineTest, CallbackThatIsReplacedInFlightIsNotCalled) {
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

TEST_F(EngineTest, CallbackSetInFlightIsCalledInsteadOfTheFd) {
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

TEST_F(EngineTest, CallbackMayResumeTheJobItself) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  context->SetCallback(count.callback());
  Fibre job(context, RunNull());
  count.then = [&] { EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished); };
  CompleteOneAndPoll();
  EXPECT_EQ(job.result(), kOk);
}

TEST_F(EngineTest, CallbackMayCloseTheContext) {
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

// --- outcomes ---

TEST_F(EngineTest, ResultIsInPlaceWhenTheRunIsOver) {
  Make(8);
  auto context = WaitContext::Create();
  const std::array<std::byte, 3> message{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  std::byte first{};
  Fibre job(context, [&] {
    Operation<hwsim::operations::Sha256> hash{hwsim::operations::Bytes(message)};
    const Outcome outcome = engine_->Run(hash);
    first = hash->digest()[0];
    return static_cast<int>(outcome);
  });
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(first, std::byte{0xba});  // FIPS 180-4, "abc"
}

TEST_F(EngineTest, CompletionWithAnErrorIsTheOperationsOwn) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  CompleteOneAndPoll(CompletionStatus::kDeviceError);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), static_cast<int>(Outcome::kDeviceError));
  EXPECT_EQ(context->status(), kStatusOk) << "it was submitted all right";
}

TEST_F(EngineTest, BrokenCardSetsErrAndTheJobDoesNotPause) {
  Make(8, {}, {{{.kind = hwsim::faults::FaultKind::kSubmitRefused, .every_nth = 1}}});
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  EXPECT_FALSE(job.paused());
  EXPECT_EQ(job.result(), kRefused);
  EXPECT_EQ(context->status(), kStatusError);
}

TEST_F(EngineTest, OutsideAJobItWaitsInPlace) {
  Make(8);
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation), Outcome::kOk);
  EXPECT_EQ(engine_->stats().synchronous, 1u);
}

TEST_F(EngineTest, WithPausingBlockedItWaitsInPlace) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, [this] {
    waitctx::BlockPause();
    NullOperation operation;
    const Outcome outcome = engine_->Run(operation);
    waitctx::UnblockPause();
    return static_cast<int>(outcome);
  });
  EXPECT_FALSE(job.paused());
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(context->wait_fd_count(), 0u);
}

TEST_F(EngineTest, JobWithoutAContextIsResumedByTrial) {
  Make(8);
  Fibre job(WaitContextRef(), RunNull());
  ASSERT_TRUE(job.paused());
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(engine_->stats().told_nobody, 1u);
}

// --- EAGAIN ---

TEST_F(EngineTest, FullQueuePairSetsAgainAndTheFdTellsWhenThereIsSpace) {
  Make(1);
  auto holder_context = WaitContext::Create();
  auto context = WaitContext::Create();
  Fibre holder(holder_context, RunNull());
  Fibre job(context, RunNull());
  ASSERT_TRUE(job.paused());
  EXPECT_EQ(context->status(), kStatusAgain);
  EXPECT_FALSE(Readable(WaitFdOf(*context)));
  CompleteOneAndPoll();
  EXPECT_TRUE(Readable(WaitFdOf(*context))) << "space, but it was not told";
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_EQ(context->status(), kStatusOk);
  EXPECT_FALSE(Readable(WaitFdOf(*context))) << "submitted, not done";
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(EngineTest, ImmediateRetryMakesTheFdReadableAtOnce) {
  Make(1, {.retry = RetryPolicy::kImmediate});
  auto holder_context = WaitContext::Create();
  auto context = WaitContext::Create();
  Fibre holder(holder_context, RunNull());
  Fibre job(context, RunNull());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(context->status(), kStatusAgain);
    EXPECT_TRUE(Readable(WaitFdOf(*context)));
    EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  }
  EXPECT_EQ(engine_->stats().again, 4u);
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_EQ(context->status(), kStatusOk);
  EXPECT_FALSE(Readable(WaitFdOf(*context)));
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(EngineTest, CallbackIsNotCalledForSpaceUnlessAskedFor) {
  for (const bool asked_for : {false, true}) {
    SCOPED_TRACE(asked_for);
    Make(1, {.callback_when_space = asked_for});
    CallbackCount count;
    auto holder_context = WaitContext::Create();
    auto context = WaitContext::Create();
    context->SetCallback(count.callback());
    Fibre holder(holder_context, RunNull());
    Fibre job(context, RunNull());
    EXPECT_EQ(context->status(), kStatusAgain);
    CompleteOneAndPoll();
    EXPECT_EQ(count.calls, asked_for ? 1 : 0);
    EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
    EXPECT_EQ(context->status(), kStatusOk);
    CompleteOneAndPoll();
    EXPECT_EQ(count.calls, asked_for ? 2 : 1);
    EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
    EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
    TearDown();
    engine_.reset();
  }
}

TEST_F(EngineTest, SpaceGoesToWhoAskedFirst) {
  Make(2);
  constexpr int kJobs = 6;
  std::vector<WaitContextRef> contexts;
  std::deque<Fibre> jobs;
  for (int i = 0; i < kJobs; ++i) {
    contexts.push_back(WaitContext::Create());
    jobs.emplace_back(contexts.back(), RunNull());
  }
  for (int next = 2; next < kJobs; ++next) {
    CompleteOneAndPoll();
    for (int i = 2; i < kJobs; ++i) {
      const bool told = jobs[i].paused() && contexts[i]->status() == kStatusAgain &&
                        Readable(WaitFdOf(*contexts[i]));
      EXPECT_EQ(told, i == next) << i;
    }
    EXPECT_EQ(jobs[next].Resume(), waitctx::JobStatus::kPaused);
    EXPECT_EQ(contexts[next]->status(), kStatusOk);
  }
  CompleteOneAndPoll();
  CompleteOneAndPoll();
  for (Fibre& job : jobs) EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(EngineTest, LateComerDoesNotTakeASlotThatIsKept) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre first(contexts[1], RunNull());
  CompleteOneAndPoll();  // the slot is kept for `first`, who has not been resumed yet
  Fibre late(contexts[2], RunNull());
  EXPECT_EQ(contexts[2]->status(), kStatusAgain);
  EXPECT_EQ(first.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_EQ(contexts[1]->status(), kStatusOk);
  CompleteOneAndPoll();
  EXPECT_EQ(late.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_EQ(contexts[2]->status(), kStatusOk);
  CompleteOneAndPoll();
  for (Fibre* job : {&holder, &first, &late}) {
    EXPECT_EQ(job->Resume(), waitctx::JobStatus::kFinished);
  }
}

TEST_F(EngineTest, SlotKeptForAClosedContextGoesToTheNext) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create(),
                             WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre gone_waiting(contexts[1], RunNull());
  Fibre gone_granted(contexts[2], RunNull());
  Fibre next(contexts[3], RunNull());
  contexts[1]->Close();
  CompleteOneAndPoll();  // passes over the closed one: granted to gone_granted
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[2])));
  contexts[2]->Close();
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
  {
    // Whatever happens next on the queue pair passes the slot on: here, somebody else asks.
    Fibre other(contexts[0], RunNull());
    engine_->Poll();
    EXPECT_TRUE(Readable(WaitFdOf(*contexts[3]))) << "the slot stays with one who is gone";
    EXPECT_EQ(next.Resume(), waitctx::JobStatus::kPaused);
    CompleteOneAndPoll();
    EXPECT_EQ(next.Resume(), waitctx::JobStatus::kFinished);
    while (other.paused()) {
      channel_->CompleteOne();
      engine_->Poll();
      static_cast<void>(other.Resume());
    }
  }
  // The jobs of the closed contexts still run to their end when resumed.
  for (Fibre* job : {&gone_waiting, &gone_granted}) {
    while (job->paused()) {
      channel_->CompleteOne();
      engine_->Poll();
      static_cast<void>(job->Resume());
    }
    EXPECT_EQ(job->result(), kOk);
  }
}

TEST_F(EngineTest, SynchronousCallerWaitsForSpaceInTurn) {
  Make(1);
  auto context = WaitContext::Create();
  Fibre holder(context, RunNull());
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation), Outcome::kOk);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

// --- race windows, held open ---

TEST_F(EngineTest, CompletionBeforeThePauseIsFoundWithoutBeingTold) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  context->SetCallback(count.callback());
  channel_->on_push = [this] { channel_->CompleteOne(); };
  // Completed inside the submit, and handled by another thread before the job goes to wait.
  HookedJobs hooked;
  bool popped = false;
  channel_->on_push = [&] {
    channel_->CompleteOne();
    std::thread([&] { popped = engine_->Poll() == 1; }).join();
  };
  Fibre job(context, RunNull());
  EXPECT_TRUE(popped);
  EXPECT_FALSE(job.paused());
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(count.calls, 0) << "told about a job that does not wait";
}

TEST_F(EngineTest, CompletionDuringThePauseTellsBeforeTheApplicationHasControl) {
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

TEST_F(EngineTest, SpaceDuringThePauseTellsBeforeTheApplicationHasControl) {
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

// --- contexts that are freed in flight ---

TEST_F(EngineTest, ContextClosedBeforeTheCompletionIsNotTold) {
  Make(8);
  CallbackCount count;
  auto context = WaitContext::Create();
  context->SetCallback(count.callback());
  Fibre job(context, RunNull());
  context->Close();
  CompleteOneAndPoll();
  EXPECT_EQ(count.calls, 0);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(engine_->stats().told_nobody, 1u);
}

TEST_F(EngineTest, ContextWithAnFdClosedBeforeTheCompletionIsNotTold) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  context->Close();
  EXPECT_EQ(context->wait_fd_count(), 0u);
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(engine_->stats().fd_signals, 0u);
}

TEST_F(EngineTest, ContextClosedAfterTheCompletionLeavesNothingBehind) {
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
