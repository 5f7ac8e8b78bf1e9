// Operation<T>: one piece of work, with its buffers, that a job or task can run on the card:
// `engine::Operation<hwsim::operations::Sha256> hash(message); engine.Run(hash);`
//
// Ownership: the handle owns the work. The request of a cancelled or timed-out run may still be on
// the card when the handle is destroyed: then the card keeps work and buffers, and they are freed
// when it lets go of the request.
// Threads: a handle belongs to one thread at a time; only Engine::Cancel may come from another.
#ifndef GHOSTCARD_ENGINE_OPERATION_H_
#define GHOSTCARD_ENGINE_OPERATION_H_

#include <concepts>
#include <type_traits>
#include <utility>

#include "engine/operation_state.h"
#include "hwsim/operations/operations.h"
#include "hwsim/operations/request.h"

namespace engine {

// A handle without the type of its work: the argument of Engine's methods.
class OperationHandle {
 public:
  OperationHandle(OperationHandle&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  OperationHandle& operator=(OperationHandle&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~OperationHandle() {
    if (state_ != nullptr) state_->Release();
  }

  // The completion as the card wrote it: status and times. Valid after a run that was neither
  // cancelled nor timed out.
  const hwsim::operations::Request& request() const { return *state_; }
  // Whether the last run ended with the work done in software (Recovery).
  bool in_software() const { return state_->run.in_software; }

 protected:
  explicit OperationHandle(OperationState* state) : state_(state) {}
  OperationState* state_;

 private:
  friend class Engine;
};

template <hwsim::operations::Workload T>
class Operation : public OperationHandle {
 public:
  // Makes the work from T's constructor arguments.
  template <typename... Args>
  requires std::constructible_from<T, Args...>
  explicit Operation(Args&&... args) : OperationHandle(new State(std::forward<Args>(args)...)) {}

  // The work: its inputs before a run, its result after a run that ended with kOk. Do not touch it
  // during a run.
  T& operator*() const { return state()->work; }
  T* operator->() const { return &state()->work; }

 private:
  struct State final : OperationState {
    template <typename... Args>
    explicit State(Args&&... args)
        : OperationState([](OperationState* self) { delete static_cast<State*>(self); }),
          work(std::forward<Args>(args)...) {
      kind = hwsim::operations::KindOf(work);
      size_bytes = work.size_bytes();
      output = work.output();
      // The null operation has no work for the card's execution threads.
      if constexpr (!std::is_same_v<T, hwsim::operations::Null>) {
        execute = [](hwsim::operations::Request& self) noexcept {
          T& work = static_cast<State&>(self).work;
          const bool good = work.Execute();
          self.output = work.output();  // it may have moved, or shrunk to the result
          return good;
        };
      }
    }
    T work;
  };
  State* state() const { return static_cast<State*>(state_); }
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPERATION_H_
