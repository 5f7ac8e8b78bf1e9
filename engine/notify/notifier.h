// Notifier: tells the owner of an operation that it may go on: by the callback of its wait context
// if there is one, else by its wait fd (engine/notify/wait_line.h). Never by both, never twice,
// never before the result can be read, never under a lock.
//
// A run enters it three times for each wait: Attach before the wait, Tell at the end of the wait,
// and Take when the owner runs again. A run that waits once enters each once.
//
// Threads: Tell, ResignalLost, HasLost and the counts from any thread; everything else on the
// owner's.
#ifndef GHOSTCARD_ENGINE_NOTIFY_NOTIFIER_H_
#define GHOSTCARD_ENGINE_NOTIFY_NOTIFIER_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/notify/notification_faults.h"
#include "engine/notify/wait_line.h"
#include "engine/operation_state.h"
#include "hwsim/base/mutex.h"

namespace engine::notify {

class Notifier {
 public:
  // `key` is the key of the engine's wait fds; no other engine, running or ended, may have used it.
  // `faults` (may be null): the faults of the notification.
  Notifier(const void* key, std::unique_ptr<NotificationFaults> faults)
      : key_(key), faults_(std::move(faults)) {}
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // What the owner is about to wait for.
  enum class Awaited : uint8_t {
    kCompletion,  // the result
    kSpace,       // a slot
    kNextTry,     // nothing: it wants to be resumed at once, to submit again
  };
  // The owner is about to wait. Finds out how to tell it: by a callback, or by this engine's wait
  // fd on its context, which is made now if need be. kNextTry: makes the wait fd readable.
  // kCompletion: does what a fault of the wait says. Returns whether the owner has a wait fd. False
  // without a callback: no descriptor is left, and the owner goes on only when the application
  // resumes it without having been told.
  //
  // Once for each wait, not once for each run: between two waits the application may change the
  // callback or close the context, and the faults count waits for a completion.
  bool Attach(OperationState& operation, Awaited awaited);

  // Makes `next` the phase of an operation that this thread moved to kTelling, and tells its owner.
  // Does not touch the operation after the phase is published.
  void Tell(OperationState& operation, run::Phase next);

  // The owner runs again and sees that it was told: takes the operation's token, if it was told by
  // fd, and leaves the wait fd readable only if other tokens are left.
  void Take(OperationState& operation);
  // The owner was resumed though no thread told it: makes the wait fd not readable, unless tokens
  // are left.
  void Clear(OperationState& operation) { Settle(operation, 0); }

  // For an owner that waits in place: returns when `operation` leaves `phase`, or after `time_max`.
  void WaitWhile(OperationState& operation, run::Phase phase, hwsim::Duration time_max);

  // Whether a fault has lost the signal of a wait fd since the last ResignalLost: the caller sees
  // to it that ResignalLost is called.
  bool HasLost() const { return faults_ != nullptr && has_lost_.load(std::memory_order_acquire); }
  // Signals wait fds whose signal a fault lost at least `after` ago, and whose owners have not come
  // since. Returns when to call it next; none: no signal is lost.
  std::optional<hwsim::TimePoint> ResignalLost(hwsim::TimePoint now, hwsim::Duration after);
  // When ResignalLost has something to do, as far as is known.
  std::optional<hwsim::TimePoint> NextResignal() const;

  struct Counts {
    uint64_t callbacks = 0;
    uint64_t fd_signals = 0;
    uint64_t not_told = 0;  // the context was closed, or had neither callback nor fd
    uint64_t again = 0;     // fds signalled by ResignalLost
  };
  Counts counts() const;

 private:
  WaitLine* FindOrMakeLine(waitctx::WaitContext& context);
  // Leaves a token and makes the wait fd readable, if there is one.
  void SignalNow(OperationState& operation);
  void StrikeWaiter(OperationState& operation);
  // Tells through the fd of `line`, or does what a fault says.
  void Signal(OperationState& operation, WaitLine& line, run::Phase next);
  void Settle(OperationState& operation, uint32_t tokens_taken);

  const void* const key_;
  const std::unique_ptr<NotificationFaults> faults_;  // null: none

  // Contexts whose wait fd was not signalled, because of a fault.
  mutable hwsim::Mutex lost_mutex_;
  std::vector<waitctx::WaitContextRef> lost_ GHOSTCARD_GUARDED_BY(lost_mutex_);
  std::optional<hwsim::TimePoint> next_resignal_ GHOSTCARD_GUARDED_BY(lost_mutex_);
  std::atomic<bool> has_lost_{false};  // set and cleared under the lock
  // Counters only: no order needed.
  std::atomic<uint64_t> again_{0};
  std::atomic<uint64_t> callbacks_{0};
  std::atomic<uint64_t> fd_signals_{0};
  std::atomic<uint64_t> not_told_{0};

  // Orders an in-place owner's look at its phase and its sleep against Tell.
  std::mutex synchronous_mutex_;
  std::condition_variable synchronous_told_;
};

}  // namespace engine::notify

#endif  // GHOSTCARD_ENGINE_NOTIFY_NOTIFIER_H_
