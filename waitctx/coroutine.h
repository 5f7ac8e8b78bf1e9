// Task: a C++20 coroutine that waits on a WaitContext, as a job does: the second way to
// wait, on the same contexts, with the same contract: start it, and while it is paused wait on the
// context and resume it.
//
//   waitctx::Task<int> Sign(engine::Engine& card, Operation& op) {
//     co_return co_await card.RunAsync(op) == engine::Outcome::kOk ? 0 : -1;
//   }
//   auto task = Sign(card, op);
//   for (task.Start(context); task.paused(); task.Resume()) WaitFor(context);
//
// A task awaits other tasks (they run on the same context) and awaiters that pause it; an
// awaiter reaches the task through the promise:
//
//   template <typename Promise>
//   void await_suspend(std::coroutine_handle<Promise> handle) {
//     handle.promise().control().Suspend(handle, *this);  // *this is a Suspension
//   }
//
// Threads: a task is started and resumed by one thread at a time. Ownership: Task owns the frame; a
// task awaited by another is owned by that one. Destroying a paused task destroys its frames,
// innermost first; what it awaited is told by its awaiter's destructor. Exceptions: one that leaves
// a task comes out of result(), or of the co_await of it.
#ifndef GHOSTCARD_WAITCTX_COROUTINE_H_
#define GHOSTCARD_WAITCTX_COROUTINE_H_

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "waitctx/wait_context.h"

namespace waitctx {

// What a paused task waits for. An awaiter implements it, and tells the task with
// TaskControl::Suspend.
class Suspension {
 public:
  // Asked on each resume, on the resuming thread: false keeps the task paused (the wake-up was for
  // someone else).
  virtual bool ReadyToResume() = 0;

 protected:
  ~Suspension() = default;
};

// What a started task and all that it awaits have in common: the context, and where it stands.
class TaskControl {
 public:
  // Requires: the task was started with a context.
  WaitContext& context() const { return *context_; }
  // Null when it was started without one.
  WaitContext* context_or_null() const { return context_.get(); }

  // Pauses the task: Resume() runs on from `innermost` once `what` is ready. Both stay where they
  // are until then. For await_suspend, as the last thing that it does with the awaiter when another
  // thread may complete it.
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

// What every task's promise has, whatever its result.
class TaskPromiseBase {
 public:
  TaskControl& control() { return *control_; }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  void unhandled_exception() { exception_ = std::current_exception(); }

  // At the end control goes to whoever awaits the task, or back to Start() or Resume().
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

  // Runs until the task pauses or finishes. The context may be null: then nothing may be awaited
  // that needs one. Requires: not started.
  void Start(WaitContextRef context) { control().Start(std::move(context), handle_); }
  // Runs on from the pause, if what is awaited is ready; otherwise the task stays paused.
  // Requires: started. Finished: nothing happens.
  void Resume() { control().Resume(); }

  bool started() const { return control().started_; }
  bool paused() const { return started() && !handle_.done(); }
  bool finished() const { return handle_.done(); }
  WaitContext& context() const { return control().context(); }

  // What the task returned; throws what left it. Requires: finished().
  decltype(auto) result() { return handle_.promise().value(); }

  // Awaiting a task starts it and gives its result, by value.
  auto operator co_await() && noexcept { return Awaiter{handle_}; }

 private:
  struct Awaiter {
    Handle handle;

    bool await_ready() const noexcept { return false; }
    // By symmetric transfer: a chain of tasks, however long, takes no stack.
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
