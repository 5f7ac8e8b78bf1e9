// A forked child takes nothing from its parent's engine.

#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "engine/awaiter.h"
#include "tests/engine/engine_fixture.h"
#include "waitctx/base/sanitizers.h"
#include "waitctx/coroutine.h"

namespace engine {
namespace {

class EngineForkTest : public EngineFixture {
 protected:
  void SetUp() override {
    if (waitctx::kThreadSanitizer || waitctx::kAddressSanitizer) {
      GTEST_SKIP() << "ThreadSanitizer does not follow threads across a fork, and a child can "
                      "inherit a lock of "
                      "AddressSanitizer that another thread held";
    }
  }
};

waitctx::Task<int> RunOnce(Engine& engine) {
  NullOperation operation;
  co_return static_cast<int>(co_await engine.RunAsync(operation));
}

int ExitCodeOf(pid_t child) {
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(EngineForkTest, TaskDestroyedInAChildTakesNothingFromTheParent) {
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
  EXPECT_TRUE(Readable(WaitFdOf(*context))) << "parent and child share the eventfd";
  task->Resume();
  EXPECT_TRUE(task->finished());
}

TEST_F(EngineForkTest, ChildHasNoDeadlinesOfItsParent) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull({.time_limit = std::chrono::milliseconds(5)}));
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(job.Resume());  // ends with kRefused and destroys the operation
    const bool none = !engine_->NextDeadline().has_value();
    card_->virtual_clock().AdvanceTo(card_->clock().Now() + std::chrono::milliseconds(6));
    engine_->Poll();
    ::_exit(none && job.result() == kRefused ? 0 : 1);
  }
  EXPECT_EQ(ExitCodeOf(child), 0);
  Finish(job);
}

}  // namespace
}  // namespace engine
