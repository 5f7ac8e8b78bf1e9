// Waiting for space at a full queue pair: how a job is told that there is a slot, and which
// operation gets it.

#include <array>
#include <deque>
#include <vector>

#include "engine/awaiter.h"
#include "tests/engine/engine_fixture.h"
#include "waitctx/coroutine.h"

namespace engine {
namespace {

using SpaceTest = EngineFixture;

TEST_F(SpaceTest, FullQueuePairSetsAgainAndTheFdTellsWhenThereIsSpace) {
  Make(1);
  auto holder_context = WaitContext::Create();
  auto context = WaitContext::Create();
  Fibre holder(holder_context, RunNull());
  Fibre job(context, RunNull());
  ASSERT_TRUE(job.paused());
  EXPECT_EQ(context->status(), kStatusAgain);
  EXPECT_FALSE(Readable(WaitFdOf(*context)));
  CompleteOneAndPoll();
  EXPECT_TRUE(Readable(WaitFdOf(*context))) << "a slot is free, but the job was not told";
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_EQ(context->status(), kStatusOk);
  EXPECT_FALSE(Readable(WaitFdOf(*context))) << "submitted, not done";
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(SpaceTest, ImmediateRetryMakesTheFdReadableAtOnce) {
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

TEST_F(SpaceTest, CallbackIsNotCalledForSpaceUnlessAskedFor) {
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

TEST_F(SpaceTest, SlotsGoToJobsInTheOrderOfArrival) {
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

TEST_F(SpaceTest, NewcomerDoesNotTakeAGrantedSlot) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre first(contexts[1], RunNull());
  CompleteOneAndPoll();  // grants the slot to `first`, which has not been resumed yet
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

TEST_F(SpaceTest, GrantOfAClosedContextGoesToTheNext) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create(),
                             WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre gone_waiting(contexts[1], RunNull());
  Fibre gone_granted(contexts[2], RunNull());
  Fibre next(contexts[3], RunNull());
  contexts[1]->Close();
  CompleteOneAndPoll();  // passes over `gone_waiting` and grants the slot to `gone_granted`
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[2])));
  contexts[2]->Close();
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
  {
    // The next submit to the queue pair takes the grant back, and the next poll passes it on.
    Fibre other(contexts[0], RunNull());
    engine_->Poll();
    EXPECT_TRUE(Readable(WaitFdOf(*contexts[3])))
        << "the grant of the closed context was not passed on";
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

TEST_F(SpaceTest, SynchronousCallerWaitsForSpace) {
  Make(1);
  auto context = WaitContext::Create();
  Fibre holder(context, RunNull());
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation), Outcome::kOk);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(SpaceTest, SynchronousCallerPassesQueuedJobsOfItsThread) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre queued(contexts[1], RunNull());
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation), Outcome::kOk) << "the queued job can run only on this thread";
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
  while (queued.paused()) {
    channel_->CompleteOne();
    engine_->Poll();
    static_cast<void>(queued.Resume());
  }
  EXPECT_EQ(queued.result(), kOk);
}

hwsim::faults::FaultPlan RingFullAtFirst(uint32_t times) {
  return {.rules = {{.kind = hwsim::faults::FaultKind::kRingFull, .nth = 1, .times = times}}};
}

TEST_F(SpaceTest, InPlaceCallerSubmitsAgainUpToItsRetryLimit) {
  Make(4, {.poll_interval = std::chrono::nanoseconds(1)}, RingFullAtFirst(3));
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation, {.retries_max = 3}), Outcome::kOk);
  EXPECT_EQ(engine_->stats().again, 3u);
}

TEST_F(SpaceTest, InPlaceCallerIsRefusedAfterItsLastRetry) {
  Make(4, {.poll_interval = std::chrono::nanoseconds(1)}, RingFullAtFirst(3));
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation, {.retries_max = 2}), Outcome::kRefused);
  EXPECT_EQ(engine_->stats().again, 3u);
  EXPECT_EQ(engine_->Run(operation, {.retries_max = 0}), Outcome::kOk) << "there is room now";
}

TEST_F(SpaceTest, JobMayWaitInPlace) {
  Make(1);
  const auto context = WaitContext::Create();
  Fibre job(context, RunNull({.in_place = true}));
  EXPECT_FALSE(job.paused());
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(WaitFdOf(*context), -1) << "an in-place wait needs no wait fd";
  context->Close();
}

TEST_F(SpaceTest, BlockedJobOfAClosedContextStillGetsSpace) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  contexts[1]->Close();
  Fibre job(contexts[1], [this] {
    waitctx::BlockPause();
    NullOperation operation;
    const Outcome outcome = engine_->Run(operation);
    waitctx::UnblockPause();
    return static_cast<int>(outcome);
  });
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(holder.Resume(), waitctx::JobStatus::kFinished);
}

TEST_F(SpaceTest, GrantOfAClosedContextIsPassedOnWhileTheCardIsIdle) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre gone(contexts[1], RunNull());
  Fibre next(contexts[2], RunNull());
  CompleteOneAndPoll();
  contexts[1]->Close();
  engine_->Poll();
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[2])));
  for (Fibre* job : {&holder, &next, &gone}) Finish(*job);
}

TEST_F(SpaceTest, NewcomerTakesTheGrantOfAClosedContext) {
  Make(1);
  CallbackCount count;
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre gone(contexts[1], RunNull());
  CompleteOneAndPoll();
  contexts[1]->Close();
  contexts[2]->SetCallback(count.callback());
  Fibre trial(contexts[2], RunNull());
  EXPECT_EQ(contexts[2]->status(), kStatusOk);
  for (Fibre* job : {&holder, &trial, &gone}) Finish(*job);
}

TEST_F(SpaceTest, GrantOfAClosedContextBehindAnOpenOneIsPassedOn) {
  Make(2);
  std::vector<WaitContextRef> contexts;
  for (int i = 0; i < 5; ++i) contexts.push_back(WaitContext::Create());
  Fibre first_holder(contexts[0], RunNull());
  Fibre second_holder(contexts[1], RunNull());
  Fibre live(contexts[2], RunNull());
  Fibre gone(contexts[3], RunNull());
  Fibre next(contexts[4], RunNull());
  CompleteOneAndPoll();
  CompleteOneAndPoll();
  contexts[3]->Close();
  engine_->Poll();
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[4])));
  for (Fibre* job : {&first_holder, &second_holder, &live, &next, &gone}) Finish(*job);
}

TEST_F(SpaceTest, NewcomerTakesASlotThatNoGrantKeeps) {
  Make(2);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create(),
                             WaitContext::Create()};
  Fibre first_holder(contexts[0], RunNull());
  Fibre second_holder(contexts[1], RunNull());
  Fibre granted(contexts[2], RunNull());
  CompleteOneAndPoll();
  CompleteOneAndPoll();
  Fibre newcomer(contexts[3], RunNull());
  EXPECT_EQ(contexts[3]->status(), kStatusOk) << "a grant keeps one slot, the other is free";
  EXPECT_EQ(granted.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_EQ(contexts[2]->status(), kStatusOk) << "the newcomer took the granted slot";
  for (Fibre* job : {&first_holder, &second_holder, &granted, &newcomer}) Finish(*job);
}

TEST_F(SpaceTest, ImmediateRetryStaysSignalledWhenTheOtherJobIsResumed) {
  Make(1, {.retry = RetryPolicy::kImmediate});
  auto context = WaitContext::Create();
  Fibre on_card(context, RunNull());
  Fibre retry(context, RunNull());
  EXPECT_TRUE(Readable(WaitFdOf(*context)));
  EXPECT_EQ(on_card.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_TRUE(Readable(WaitFdOf(*context)));
  for (Fibre* job : {&on_card, &retry}) Finish(*job);
  EXPECT_FALSE(Readable(WaitFdOf(*context)));
}

TEST_F(SpaceTest, HeuristicPollCountsJobsThatWaitForSpace) {
  Make(2);
  std::vector<WaitContextRef> contexts;
  std::deque<Fibre> jobs;
  for (int i = 0; i < 4; ++i) {
    contexts.push_back(WaitContext::Create());
    jobs.emplace_back(contexts.back(), RunNull());
  }
  channel_->CompleteOne();
  channel_->CompleteOne();
  EXPECT_EQ(engine_->PollHeuristically(4), 2u)
      << "all four jobs wait, and only this poll frees slots";
  for (Fibre& job : jobs) Finish(job);
}

waitctx::Task<int> RunOnce(Engine& engine) {
  NullOperation operation;
  co_return static_cast<int>(co_await engine.RunAsync(operation));
}

TEST_F(SpaceTest, NoCallbackRunsInsideASubmit) {
  Make(1, {.callback_when_space = true});
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre gone(contexts[1], RunNull());
  CompleteOneAndPoll();
  contexts[1]->Close();
  CallbackCount count;
  contexts[2]->SetCallback(count.callback());
  auto task = RunOnce(*engine_);
  bool inside = true;
  bool called_inside = false;
  count.then = [&] {
    called_inside |= inside;
    task.Resume();
  };
  task.Start(contexts[2]);
  inside = false;
  EXPECT_FALSE(called_inside);
  while (!task.finished() && channel_->CompleteOne()) engine_->Poll();
  EXPECT_TRUE(task.finished());
  for (Fibre* job : {&holder, &gone}) Finish(*job);
}

TEST_F(SpaceTest, JobWhoseGrantedSlotIsTakenIsToldAgain) {
  // The test fills the queue pair without the engine.
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre job(contexts[1], RunNull());
  CompleteOneAndPoll();
  hwsim::operations::Request intruder;
  ASSERT_EQ(card_->queue_pairs()[0]->Submit(intruder), hwsim::operations::SubmitStatus::kOk);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_EQ(contexts[1]->status(), kStatusAgain);
  ASSERT_TRUE(channel_->CompleteOne());
  std::array<hwsim::operations::Request*, 1> popped;
  ASSERT_EQ(card_->queue_pairs()[0]->PopCompleted(popped), 1u);
  engine_->Poll();
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[1])));
  for (Fibre* each : {&holder, &job}) Finish(*each);
}

TEST_F(SpaceTest, CallbackSetWhileWaitingForSpaceIsNotCalledForSpace) {
  Make(1);
  CallbackCount count;
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre job(contexts[1], RunNull());
  contexts[1]->SetCallback(count.callback());
  CompleteOneAndPoll();
  EXPECT_EQ(count.calls, 0) << "the status is EAGAIN";
  EXPECT_TRUE(Readable(WaitFdOf(*contexts[1])));
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kPaused);
  CompleteOneAndPoll();
  EXPECT_EQ(count.calls, 1) << "the status is OK";
  for (Fibre* each : {&holder, &job}) Finish(*each);
}

}  // namespace
}  // namespace engine
