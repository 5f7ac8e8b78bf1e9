// Task: paused, resumed, nested, failed, abandoned.
#include "waitctx/coroutine.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace waitctx {
namespace {

// Its awaiters pause until it is open, as an engine's awaiter pauses until the completion.
class Gate {
 public:
  void Open() { open_ = true; }
  int asked() const { return asked_; }
  int abandoned() const { return abandoned_; }

  class Awaiter final : public Suspension {
   public:
    explicit Awaiter(Gate& gate) : gate_(gate) {}
    ~Awaiter() {
      if (waiting_) ++gate_.abandoned_;
    }
    bool await_ready() const { return gate_.open_; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) {
      waiting_ = true;
      gate_.context_ = handle.promise().control().context_or_null();
      handle.promise().control().Suspend(handle, *this);
    }
    int await_resume() {
      waiting_ = false;
      return ++gate_.passed_;
    }
    bool ReadyToResume() override {
      ++gate_.asked_;
      return gate_.open_;
    }

   private:
    Gate& gate_;
    bool waiting_ = false;
  };
  Awaiter operator co_await() { return Awaiter(*this); }

  WaitContext* context_ = nullptr;

 private:
  bool open_ = false;
  int asked_ = 0;
  int passed_ = 0;
  int abandoned_ = 0;
};

Task<int> Seven() { co_return 7; }
Task<int> Pass(Gate& gate) { co_return co_await gate + 40; }
Task<int> Sum(Gate& gate) { co_return co_await Pass(gate) + co_await Seven(); }
Task<void> Nothing(Gate& gate) { co_await gate; }
Task<void> Fail(Gate& gate) {
  co_await gate;
  throw std::runtime_error("refused");
}
Task<std::string> Survive(Gate& gate) {
  try {
    co_await Fail(gate);
  } catch (const std::runtime_error& error) {
    co_return error.what();
  }
  co_return "nothing was thrown";
}
Task<std::unique_ptr<int>> MoveOnly() { co_return std::make_unique<int>(3); }
Task<int> Chain(int length) {
  if (length == 0) co_return 0;
  co_return co_await Chain(length - 1) + 1;
}
Task<int> Many(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await Seven();
  co_return sum;
}

class CoroutineTest : public testing::Test {
 protected:
  WaitContextRef context_ = WaitContext::Create();
  Gate gate_;
};

TEST_F(CoroutineTest, NothingRunsBeforeStart) {
  bool ran = false;
  const auto set = [](bool& flag) -> Task<void> {
    flag = true;
    co_return;
  };
  Task<void> task = set(ran);
  EXPECT_FALSE(task.started());
  EXPECT_FALSE(task.paused());
  EXPECT_FALSE(ran);
  task.Start(context_);
  EXPECT_TRUE(ran);
  EXPECT_TRUE(task.finished());
}

TEST_F(CoroutineTest, FinishesAtOnceWhenNothingIsAwaited) {
  Task<int> task = Seven();
  task.Start(context_);
  EXPECT_FALSE(task.paused());
  ASSERT_TRUE(task.finished());
  EXPECT_EQ(task.result(), 7);
}

TEST_F(CoroutineTest, StaysPausedUntilWhatItAwaitsIsReady) {
  Task<int> task = Pass(gate_);
  task.Start(context_);
  EXPECT_TRUE(task.paused());
  EXPECT_EQ(gate_.context_, context_.get());
  task.Resume();
  EXPECT_TRUE(task.paused());
  EXPECT_EQ(gate_.asked(), 1);
  gate_.Open();
  task.Resume();
  ASSERT_TRUE(task.finished());
  EXPECT_EQ(task.result(), 41);
  EXPECT_EQ(gate_.abandoned(), 0);
}

TEST_F(CoroutineTest, ResumeForgetsTheChangesOfTheContext) {
  Task<int> task = Pass(gate_);
  task.Start(context_);
  context_->SetWaitFd(this, 5, nullptr, nullptr);
  EXPECT_EQ(context_->changed_fd_counts().added, 1u);
  task.Resume();
  EXPECT_EQ(context_->changed_fd_counts().added, 0u);
}

TEST_F(CoroutineTest, InnerTaskPausesTheOuterOneOnItsContext) {
  Task<int> task = Sum(gate_);
  task.Start(context_);
  EXPECT_TRUE(task.paused());
  EXPECT_EQ(gate_.context_, context_.get());
  gate_.Open();
  task.Resume();
  ASSERT_TRUE(task.finished());
  EXPECT_EQ(task.result(), 48);
}

TEST_F(CoroutineTest, ExceptionComesOutOfResult) {
  Task<void> task = Fail(gate_);
  task.Start(context_);
  gate_.Open();
  EXPECT_NO_THROW(task.Resume());
  ASSERT_TRUE(task.finished());
  EXPECT_THROW(task.result(), std::runtime_error);
}

TEST_F(CoroutineTest, ExceptionOfAnInnerTaskIsCaughtAroundItsAwait) {
  Task<std::string> task = Survive(gate_);
  task.Start(context_);
  gate_.Open();
  task.Resume();
  EXPECT_EQ(task.result(), "refused");
}

TEST_F(CoroutineTest, DestroyingAPausedTaskTellsWhatItAwaits) {
  {
    Task<std::string> task = Survive(gate_);
    task.Start(context_);
    EXPECT_TRUE(task.paused());
  }
  EXPECT_EQ(gate_.abandoned(), 1);
}

TEST_F(CoroutineTest, DestroyingATaskNeverStartedIsAllowed) {
  { Task<int> task = Pass(gate_); }
  EXPECT_EQ(gate_.abandoned(), 0);
}

TEST_F(CoroutineTest, MovedTaskContinues) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 10; ++i) {
    tasks.push_back(Pass(gate_));
    tasks.back().Start(context_);
  }
  gate_.Open();
  for (Task<int>& task : tasks) {
    task.Resume();
    EXPECT_TRUE(task.finished());
  }
  EXPECT_EQ(tasks.back().result(), 50);
}

TEST_F(CoroutineTest, ResultMayBeMoveOnlyOrNothing) {
  Task<std::unique_ptr<int>> task = MoveOnly();
  task.Start(context_);
  EXPECT_EQ(*task.result(), 3);
  gate_.Open();
  Task<void> nothing = Nothing(gate_);
  nothing.Start(context_);
  EXPECT_NO_THROW(nothing.result());
}

TEST_F(CoroutineTest, ContextLivesAsLongAsTheTask) {
  static int cleaned;
  cleaned = 0;
  context_->SetWaitFd(this, 5, nullptr,
                      [](async_wait_ctx_st*, const void*, int, void*) { ++cleaned; });
  Task<int> task = Pass(gate_);
  task.Start(std::move(context_));
  EXPECT_EQ(cleaned, 0);
  gate_.Open();
  task.Resume();
  EXPECT_EQ(task.result(), 41);
  EXPECT_EQ(cleaned, 0);
  task = Seven();
  EXPECT_EQ(cleaned, 1);
}

TEST_F(CoroutineTest, WorksWithoutAContext) {
  Task<int> task = Pass(gate_);
  task.Start(WaitContextRef());
  gate_.Open();
  task.Resume();
  EXPECT_EQ(task.result(), 41);
}

TEST_F(CoroutineTest, NestedTasksAddUp) {
  Task<int> chain = Chain(100);
  chain.Start(context_);
  EXPECT_EQ(chain.result(), 100);
  Task<int> many = Many(1000);
  many.Start(context_);
  EXPECT_EQ(many.result(), 7000);
}

}  // namespace
}  // namespace waitctx
