// Operation<T>: one piece of work, with its buffers, that a job or task can run
// on the card: `engine::Operation<hwsim::Sha256> hash(message); engine.Run(hash);`
//
// Ownership: the handle owns the work. A cancelled or timed-out operation may still
// be on the card when its handle goes: then the card keeps work and buffers until it
// lets go, and they are freed there.
// Threads: a handle belongs to one thread at a time; Engine::Cancel alone may come from another.
#ifndef GHOSTCARD_ENGINE_OPERATION_H_
#define GHOSTCARD_ENGINE_OPERATION_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "hwsim/operations.h"
#include "hwsim/queue_pair.h"
#include "waitctx/wait_context.h"

namespace engine {

// What became of an operation.
enum class [[nodiscard]] Outcome : uint8_t{
    kOk,           // the result is in place
    kFailed,       // the work itself failed, as it would in software
    kDeviceError,  // the card failed it: the result is not to be used; running it again may help
    kRefused,      // the card took no requests (broken, resetting, or another process's): clean up
    kTimedOut,     // the time limit passed first
    kCancelled,    // Engine::Cancel came first
    kBusy,         // still on the card from an earlier run that was given up: nothing happened
};
std::string_view OutcomeName(Outcome outcome);

// What a run does when the card fails it.
struct Recovery {
  // How often the card is asked in all, when it fails the operation or is reset under it. 1..100
  uint32_t attempts_max = 1;
  // A card that is restarting: the run waits, as for space (status EAGAIN), and is not refused.
  bool wait_for_restart = false;
  // When the card would not, the run does the work itself, on its own thread. Not when it was
  // timed out or cancelled: then the card may still have it.
  bool software_fallback = false;
};

class WaitLine;

// Where an operation stands. Arrows: who moves it on.
enum class Phase : uint32_t {
  kIdle,       // with its owner; nothing under way
  kRunning,    // accepted; the owner has not gone to wait yet
  kPaused,     // accepted; the owner waits and is to be told
  kQueued,     // no slot yet, in the retry queue; the owner waits and is to be told
  kRetry,      // no slot yet, not in the queue; the owner tries again whenever it is resumed
  kTelling,    // somebody took it out of kPaused or kQueued and reads whom to tell: an instant
  kGranted,    // a slot is kept for it
  kStopped,    // given up (cancelled, timed out); the card may still have it
  kDone,       // the card let go
  kAbandoned,  // given up, and the handle is gone: the card's alone
};

// What job, card and engine share of an operation. Not for users: see Operation.
class OperationState : public hwsim::Request {
 public:
  using Deleter = void (*)(OperationState*);
  explicit OperationState(Deleter deleter) : deleter_(deleter) {}

  // The owner lets go: frees it, or leaves that to the card.
  void Release();

 private:
  friend class Engine;
  friend class PausedRun;
  friend class Notifier;
  friend class OperationHandle;
  friend class RetryQueue;
  friend class DeadlineQueue;

  // Who moves what, and the order it needs: each store of a new phase is a release and each
  // load an acquire, so that fields written in one phase are seen in the next.
  std::atomic<Phase> phase_{Phase::kIdle};
  // Set by Cancel and by the deadline, at any time; read by the owner once it has published
  // a paused phase. Both sides store first and look at the other's word second: seq_cst.
  std::atomic<Outcome> stop_{Outcome::kOk};

  // The owner's.
  Recovery recovery_;
  uint32_t attempts_ = 0;  // of this run, so far
  bool in_software_ = false;
  hwsim::Duration worst_moment_{};  // not 0: a fault strikes before the next pause, for so long
  hwsim::TimePoint given_up_at_{};  // the engine's, under its lock

  // The owner's; constant while somebody may tell it.
  waitctx::WaitContext* context_ = nullptr;
  WaitLine* line_ = nullptr;
  bool synchronous_ = false;
  bool on_card_ = false;
  hwsim::QueuePair* queue_pair_ = nullptr;
  std::optional<hwsim::TimePoint> deadline_;
  Outcome outcome_ = Outcome::kOk;
  std::optional<uint32_t> retries_left_;  // at a full queue pair; none: it waits for space
  // While it waits for space: the callback is for results, so the fd is used if there is one.
  bool for_space_ = false;
  // Written while kTelling, read by the owner afterwards: a token to take from line_.
  bool told_by_fd_ = false;

  // The retry queue's (under its lock).
  enum class Place : uint8_t { kNowhere, kWaiting, kGranted };
  Place place_ = Place::kNowhere;
  OperationState* next_ = nullptr;
  OperationState* previous_ = nullptr;
  // Of an owner that is told: alive while queued, though the owner may be gone.
  waitctx::WaitContextRef queued_context_;

  const Deleter deleter_;
};

// A handle without the type of its work: what Engine takes.
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

  // The completion as the card wrote it: status and times. Valid after a run that was
  // not given up.
  const hwsim::Request& request() const { return *state_; }
  // Whether the last run ended with the work done in software (Recovery).
  bool in_software() const { return state_->in_software_; }

 protected:
  explicit OperationHandle(OperationState* state) : state_(state) {}
  OperationState* state_;

 private:
  friend class Engine;
};

template <hwsim::Workload T>
class Operation : public OperationHandle {
 public:
  // Makes the work from T's constructor arguments.
  template <typename... Args>
  requires std::constructible_from<T, Args...>
  explicit Operation(Args&&... args) : OperationHandle(new State(std::forward<Args>(args)...)) {}

  // The work: inputs before a run, result after one that was kOk. Not to be touched in between.
  T& operator*() const { return state()->work; }
  T* operator->() const { return &state()->work; }

 private:
  struct State final : OperationState {
    template <typename... Args>
    explicit State(Args&&... args)
        : OperationState([](OperationState* self) { delete static_cast<State*>(self); }),
          work(std::forward<Args>(args)...) {
      kind = hwsim::KindOf(work);
      size_bytes = work.size_bytes();
      output = work.output();
      // The null operation has no work: no thread need look at it.
      if constexpr (!std::is_same_v<T, hwsim::Null>) {
        execute = [](hwsim::Request& self) noexcept {
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
