// Task: a C++20 coroutine that waits on a WaitContext. It is the alternative to a job, with the
// same contract: start it, and while it is paused, wait on the context and resume it.
//
//   waitctx::Task<int> Sign(engine::Engine& engine, engine::OperationHandle& operation) {
//     co_return co_await engine.RunAsync(operation) == engine::Outcome::kOk ? 0 : -1;
//   }
//   auto task = Sign(engine, operation);
//   for (task.Start(context); task.paused(); task.Resume()) WaitFor(context);
//
// A task can await other tasks, which run on the same context, and awaiters that pause it. An
// awaiter reaches the task through the promise:
//
//   template <typename Promise>
//   void await_suspend(std::coroutine_handle<Promise> handle) {
//     handle.promise().control().Suspend(handle, *this);  // *this is a Suspension
//   }
//
// Threads: one thread at a time starts or resumes a task. Ownership: a Task owns its frame; a task
// owns the tasks that it awaits. Destroying a paused task destroys its frames, innermost first; the
// destructor of an awaiter tells what it awaited. Exceptions: one that leaves a task comes out of
// result(), or of the co_await of the task.
#ifndef GHOSTCARD_WAITCTX_COROUTINE_H_
#define GHOSTCARD_WAITCTX_COROUTINE_H_

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "waitctx/wait_context.h"

namespace waitctx {

// What a paused task waits for. An awaiter implements it and passes itself to TaskControl::Suspend.
class Suspension {
 public:
  // Each Resume() calls it, on the resuming thread. False keeps the task paused: the wake-up was
  // not for this task.
  virtual bool ReadyToResume() = 0;

 protected:
  ~Suspension() = default;
};

// The state that a started task shares with the tasks that it awaits: the context, and the
// innermost frame and what that waits for.
class TaskControl {
 public:
  // Requires: the task was started with a context.
  WaitContext& context() const { return *context_; }
  // Null if the task was started without a context.
  WaitContext* context_or_null() const { return context_.get(); }

  // Pauses the task: Resume() continues `innermost` when `what` is ready. await_suspend calls it;
  // if another thread may complete the awaiter, as its last use of the awaiter. Requires: both
  // arguments stay valid until then.
  void Suspend(std::coroutine_handle<> innermost, Suspension& what) {
    innermost_ = innermost;
    suspension_ = &what;
  }

 private:
  template <typename T>
  friend class Task;

  void Start(WaitContextRef context, std::coroutine_handle<> outermost) {
    context_ = std::move(context);
    started_ = true;
    outermost.resume();
  }
  void Resume() {
    if (context_) context_->ResetChanges();
    if (suspension_ == nullptr || !suspension_->ReadyToResume()) return;
    suspension_ = nullptr;
    std::exchange(innermost_, {}).resume();
  }

  WaitContextRef context_;
  std::coroutine_handle<> innermost_;
  Suspension* suspension_ = nullptr;
  bool started_ = false;
};

// The part of a task's promise that does not depend on the result type.
class TaskPromiseBase {
 public:
  TaskControl& control() { return *control_; }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  void unhandled_exception() { exception_ = std::current_exception(); }

  // At its end the task continues the awaiting task, or returns to Start() or Resume().
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
      const std::coroutine_handle<> awaiting = handle.promise().awaiting_;
      return awaiting ? awaiting : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }

 protected:
  template <typename T>
  friend class Task;

  TaskControl own_control_;               // used by the outermost task
  TaskControl* control_ = &own_control_;  // the outermost task's
  std::coroutine_handle<> awaiting_;
  std::exception_ptr exception_;
};

template <typename T>
class TaskPromise : public TaskPromiseBase {
 public:
  std::coroutine_handle<TaskPromise> get_return_object() {
    return std::coroutine_handle<TaskPromise>::from_promise(*this);
  }
  template <typename U>
  requires std::is_convertible_v<U, T>
  void return_value(U&& value) { value_.emplace(std::forward<U>(value)); }
  T& value() {
    if (exception_) std::rethrow_exception(exception_);
    return *value_;
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  std::coroutine_handle<TaskPromise> get_return_object() {
    return std::coroutine_handle<TaskPromise>::from_promise(*this);
  }
  void return_void() const {}
  void value() const {
    if (exception_) std::rethrow_exception(exception_);
  }
};

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = TaskPromise<T>;  // NOLINT: the language's name
  using Handle = std::coroutine_handle<promise_type>;

  Task(Handle handle) : handle_(handle) {}  // NOLINT: made from what get_return_object() returns
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // Runs the task until it pauses or finishes. `context` may be null if nothing that the task
  // awaits needs one. Requires: not started.
  void Start(WaitContextRef context) { control().Start(std::move(context), handle_); }
  // Continues the task if what it waits for is ready; otherwise the task stays paused. Does nothing
  // if the task has finished. Requires: started.
  void Resume() { control().Resume(); }

  bool started() const { return control().started_; }
  bool paused() const { return started() && !handle_.done(); }
  bool finished() const { return handle_.done(); }
  WaitContext& context() const { return control().context(); }

  // The task's result; rethrows an exception that left the task. Requires: finished().
  decltype(auto) result() { return handle_.promise().value(); }

  // Starts the task; the co_await gives its result by value.
  auto operator co_await() && noexcept { return Awaiter{handle_}; }

 private:
  struct Awaiter {
    Handle handle;

    bool await_ready() const noexcept { return false; }
    // By symmetric transfer, so that a chain of tasks takes no stack, however long it is.
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
      handle.promise().awaiting_ = awaiting;
      handle.promise().control_ = &awaiting.promise().control();
      return handle;
    }
    T await_resume() {
      if constexpr (std::is_void_v<T>) {
        handle.promise().value();
      } else {
        return std::move(handle.promise().value());
      }
    }
  };

  TaskControl& control() const { return handle_.promise().control(); }

  Handle handle_;
};

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_COROUTINE_H_
