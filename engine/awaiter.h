// Engine::Awaiter: what `co_await engine.RunAsync(operation)` waits on.
//
// Threads: the task's. Ownership: lives in the coroutine's frame; destroying that while it waits
// gives the operation up.
#ifndef GHOSTCARD_ENGINE_AWAITER_H_
#define GHOSTCARD_ENGINE_AWAITER_H_

#include <coroutine>

#include "engine/engine.h"
#include "waitctx/coroutine.h"

namespace engine {

class Engine::Awaiter final : public waitctx::Suspension {
 public:
  Awaiter(Engine& engine, OperationHandle& operation, RunOptions options)
      : engine_(engine), operation_(*operation.state_), options_(options) {}
  ~Awaiter() {
    if (waiting_) engine_.GiveUp(operation_);
  }
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;

  bool await_ready() const { return false; }
  // False: it is done already and the coroutine goes on at once.
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    waitctx::TaskControl& control = coroutine.promise().control();
    if (!Waits(engine_.Begin(operation_, &control.context(), false, options_))) return false;
    control.Suspend(coroutine, *this);
    return true;
  }
  Outcome await_resume() const { return operation_.outcome_; }

  bool ReadyToResume() override { return !Waits(engine_.Advance(operation_)); }

 private:
  bool Waits(Step step) {
    waiting_ = step == Step::kWait;
    if (waiting_ && operation_.worst_moment_ != hwsim::Duration::zero()) {
      engine_.LetItBeToldNow(operation_);
    }
    return waiting_;
  }

  Engine& engine_;
  OperationState& operation_;
  RunOptions options_;
  bool waiting_ = false;
};

inline Engine::Awaiter Engine::RunAsync(OperationHandle& operation, RunOptions options) {
  return Awaiter(*this, operation, options);
}

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_AWAITER_H_
