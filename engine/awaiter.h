// Engine::Awaiter: what `co_await engine.RunAsync(operation)` waits on.
//
// Threads: the task's. Ownership: lives in the coroutine's frame; when the frame is destroyed while
// it waits, the run is given up.
#ifndef GHOSTCARD_ENGINE_AWAITER_H_
#define GHOSTCARD_ENGINE_AWAITER_H_

#include <coroutine>

#include "engine/engine.h"
#include "engine/run/run.h"
#include "waitctx/coroutine.h"

namespace engine {

class Engine::Awaiter final : public waitctx::Suspension {
 public:
  Awaiter(Engine& engine, OperationHandle& operation, RunOptions options)
      : run_(engine.resources_, *operation.state_), options_(options) {}
  ~Awaiter() {
    if (waiting_) run_.GiveUp();
  }
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;

  bool await_ready() const { return false; }
  // False: the run is over, and the coroutine goes on at once.
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    waitctx::TaskControl& control = coroutine.promise().control();
    if (!Waits(run_.Begin(&control.context(), false, options_))) return false;
    control.Suspend(coroutine, *this);
    return true;
  }
  Outcome await_resume() const { return run_.outcome(); }

  bool ReadyToResume() override { return !Waits(run_.Advance()); }

 private:
  bool Waits(run::Run::Step step) {
    waiting_ = step == run::Run::Step::kWait;
    if (waiting_) run_.BeforePause();
    return waiting_;
  }

  run::Run run_;
  RunOptions options_;
  bool waiting_ = false;
};

inline Engine::Awaiter Engine::RunAsync(OperationHandle& operation, RunOptions options) {
  return Awaiter(*this, operation, options);
}

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_AWAITER_H_
