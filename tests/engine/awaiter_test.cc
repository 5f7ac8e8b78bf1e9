// Coroutines on the engine: a task is told as a job is, and may be destroyed in flight.

#include "engine/awaiter.h"

#include <array>

#include "tests/engine/engine_fixture.h"
#include "waitctx/coroutine.h"

namespace engine {
namespace {

using AwaiterTest = EngineFixture;

waitctx::Task<int> RunAsTask(Engine& engine) {
  NullOperation operation;
  const Outcome first = co_await engine.RunAsync(operation);
  const Outcome second = co_await engine.RunAsync(operation);
  co_return first == Outcome::kOk&& second == Outcome::kOk ? 2 : -1;
}

TEST_F(AwaiterTest, TaskIsToldByTheWaitFdOfItsContext) {
  Make(8);
  auto context = WaitContext::Create();
  auto task = RunAsTask(*engine_);
  task.Start(context);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(task.paused());
    EXPECT_EQ(context->status(), kStatusOk);
    task.Resume();  // without a notification: the task pauses again
    ASSERT_TRUE(task.paused());
    CompleteOneAndPoll();
    EXPECT_TRUE(Readable(WaitFdOf(*context)));
    task.Resume();
  }
  ASSERT_TRUE(task.finished());
  EXPECT_EQ(task.result(), 2);
}

TEST_F(AwaiterTest, TaskDestroyedInFlightGivesItsOperationUp) {
  Make(1);
  auto contexts = std::array{WaitContext::Create(), WaitContext::Create(), WaitContext::Create()};
  {
    auto on_card = RunAsTask(*engine_);
    on_card.Start(contexts[0]);
    auto queued = RunAsTask(*engine_);
    queued.Start(contexts[1]);
    EXPECT_EQ(contexts[1]->status(), kStatusAgain);
  }
  EXPECT_EQ(engine_->in_flight(), 1u);
  CompleteOneAndPoll();
  EXPECT_EQ(engine_->stats().late, 1u);
  Fibre job(contexts[2], RunNull());
  EXPECT_EQ(contexts[2]->status(), kStatusOk)
      << "an operation of a destroyed task is still in the retry queue";
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
}

}  // namespace
}  // namespace engine
