// Waiting for space, and forks: who is told, in which order, and that nobody waits for somebody who
// will not come.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "engine/awaiter.h"
#include "tests/engine/engine_fixture.h"
#include "waitctx/base/sanitizers.h"
#include "waitctx/coroutine.h"

namespace engine {
namespace {

TEST_F(EngineTest, SynchronousCallerPassesJobsOfItsOwnThreadThatWaitForSpace) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create()};
  Fibre holder(contexts[0], RunNull());
  Fibre queued(contexts[1], RunNull());
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation), Outcome::kOk)
      << "the job it waits for can run only on this thread";
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

TEST_F(EngineTest, WhoWaitsInPlaceTriesAsOftenAsItsRetriesAllow) {
  Make(4, {.poll_interval = std::chrono::nanoseconds(1)}, RingFullAtFirst(3));
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation, {.retries_max = 3}), Outcome::kOk);
  EXPECT_EQ(engine_->stats().again, 3u);
}

TEST_F(EngineTest, WhoWaitsInPlaceIsRefusedWhenItsRetriesAreUsedUp) {
  Make(4, {.poll_interval = std::chrono::nanoseconds(1)}, RingFullAtFirst(3));
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation, {.retries_max = 2}), Outcome::kRefused);
  EXPECT_EQ(engine_->stats().again, 3u);
  EXPECT_EQ(engine_->Run(operation, {.retries_max = 0}), Outcome::kOk) << "there is room now";
}

TEST_F(EngineTest, JobMayBeToldToWaitInPlace) {
  Make(1);
  const auto context = WaitContext::Create();
  Fibre job(context, RunNull({.in_place = true}));
  EXPECT_FALSE(job.paused());
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(WaitFdOf(*context), -1) << "nobody but the job itself waits";
  context->Close();
}

TEST_F(EngineTest, BlockedJobOfAClosedContextStillGetsSpace) {
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

TEST_F(EngineTest, SlotKeptForAClosedContextIsPassedOnThoughTheCardIsIdle) {
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

TEST_F(EngineTest, JobResumedByTrialPassesASlotKeptForAClosedContext) {
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

TEST_F(EngineTest, SlotKeptForAClosedContextBehindALiveOneIsPassedOn) {
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

TEST_F(EngineTest, NewcomerTakesASlotThatIsNotKept) {
  Make(2);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create(),
                             WaitContext::Create()};
  Fibre first_holder(contexts[0], RunNull());
  Fibre second_holder(contexts[1], RunNull());
  Fibre granted(contexts[2], RunNull());
  CompleteOneAndPoll();
  CompleteOneAndPoll();
  Fibre newcomer(contexts[3], RunNull());
  EXPECT_EQ(contexts[3]->status(), kStatusOk) << "one slot is kept, the other is free";
  EXPECT_EQ(granted.Resume(), waitctx::JobStatus::kPaused);
  EXPECT_EQ(contexts[2]->status(), kStatusOk) << "its slot was taken";
  for (Fibre* job : {&first_holder, &second_holder, &granted, &newcomer}) Finish(*job);
}

TEST_F(EngineTest, ImmediateRetryIsNotTakenAwayByTheOtherJobOfTheContext) {
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

TEST_F(EngineTest, HeuristicPollCountsJobsThatWaitForSpace) {
  Make(2);
  std::vector<WaitContextRef> contexts;
  std::deque<Fibre> jobs;
  for (int i = 0; i < 4; ++i) {
    contexts.push_back(WaitContext::Create());
    jobs.emplace_back(contexts.back(), RunNull());
  }
  channel_->CompleteOne();
  channel_->CompleteOne();
  EXPECT_EQ(engine_->PollHeuristically(4), 2u) << "all four wait, and nobody else polls";
  for (Fibre& job : jobs) Finish(job);
}

waitctx::Task<int> RunOnce(Engine& engine) {
  NullOperation operation;
  co_return static_cast<int>(co_await engine.RunAsync(operation));
}

TEST_F(EngineTest, NoCallbackRunsInsideASubmit) {
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

TEST_F(EngineTest, RefusedSlotThatWasGrantedIsToldAgainAndNotTriedForEver) {
  // Not a fault of the plan yet: a queue pair that is filled behind the engine's back.
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

TEST_F(EngineTest, CallbackSetWhileWaitingForSpaceIsNotCalledForSpace) {
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

#if !defined(GHOSTCARD_ASAN) && !defined(GHOSTCARD_TSAN)
int ExitCodeOf(pid_t child) {
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(EngineTest, TaskDestroyedInAChildTakesNothingFromTheParent) {
  Make(8);
  auto context = WaitContext::Create();
  auto task = std::make_unique<waitctx::Task<int>>(RunOnce(*engine_));
  task->Start(context);
  CompleteOneAndPoll();
  const pid_t child = ::fork();
  if (child == 0) {
    task.reset();
    ::_exit(0);
  }
  EXPECT_EQ(ExitCodeOf(child), 0);
  EXPECT_TRUE(Readable(WaitFdOf(*context))) << "the eventfd is one with the child's";
  task->Resume();
  EXPECT_TRUE(task->finished());
}

TEST_F(EngineTest, ChildHasNoDeadlinesOfItsParents) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull({.time_limit = std::chrono::milliseconds(5)}));
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(job.Resume());  // refused; the operation is gone
    const bool none = !engine_->NextDeadline().has_value();
    card_->virtual_clock().AdvanceTo(card_->clock().Now() + std::chrono::milliseconds(6));
    engine_->Poll();
    ::_exit(none && job.result() == kRefused ? 0 : 1);
  }
  EXPECT_EQ(ExitCodeOf(child), 0);
  Finish(job);
}
#endif

}  // namespace
}  // namespace engine
