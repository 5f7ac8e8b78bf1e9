// Notifier: tells whoever waits for an operation: by the callback of its wait context
// if there is one, else by its wait fd. Never both, never twice, never before the result
// can be read, never under a lock.
//
// The wait fd is one stable eventfd per context and engine (WaitLine). Each operation told through
// it leaves a token; its owner takes the token away, and the fd is readable just while tokens are
// left.
//
// Threads: Tell from any thread; Attach and Take on the owner's.
#ifndef GHOSTCARD_ENGINE_NOTIFIER_H_
#define GHOSTCARD_ENGINE_NOTIFIER_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/notification_faults.h"
#include "engine/operation.h"
#include "hwsim/fd.h"
#include "hwsim/mutex.h"

namespace engine {

// One context's wait fd for one engine. Owned by the context's entry: its cleanup ends it.
class WaitLine {
 public:
  explicit WaitLine(hwsim::EventFd fd) : fd_(std::move(fd)) {}

 private:
  friend class Notifier;
  const hwsim::EventFd fd_;
  // Held while an operation is published and the fd signalled, so that its owner, who sees it
  // published, finds both the token and the signal. No user code runs under it.
  hwsim::Mutex mutex_;
  uint32_t tokens_ GHOSTCARD_GUARDED_BY(mutex_) = 0;
  // A fault: the fd is readable once more when the next token was taken.
  bool twice_ GHOSTCARD_GUARDED_BY(mutex_) = false;
};

class Notifier {
 public:
  // `key` is the key of the engine's wait fds. Never that of another engine, not even an ended one.
  // `faults` (may be null): what goes wrong with the telling.
  Notifier(const void* key, std::unique_ptr<NotificationFaults> faults)
      : key_(key), faults_(std::move(faults)) {}
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Makes sure that somebody can tell `operation`'s owner: a callback, or a wait fd of this
  // engine's on its context (made now if need be). False: no descriptors left, and none was there;
  // the owner is then resumed by trial only.
  bool Attach(OperationState& operation);

  // Makes `next` the phase of an operation that this thread moved to kTelling, and tells its owner.
  // The operation is not touched after it was published.
  void Tell(OperationState& operation, Phase next);

  // The owner has seen that it was told: takes the token of `operation`, if it was told by fd, and
  // leaves the wait fd readable just when others are due.
  void Take(OperationState& operation);
  // The owner was resumed though nobody told it: clears the wait fd, unless others are due.
  void Clear(OperationState& operation) { Settle(operation, 0); }

  // The owner, to whom somebody is attached, is about to wait for its completion: does what a fault
  // says. A branch where there are no faults.
  void StrikeBeforeWait(OperationState& operation) {
    if (faults_ != nullptr) StrikeWaiter(operation);
  }
  // Whether a fault left a wait fd low since TellAgain last looked: see that it is called.
  bool HasUntold() const {
    return faults_ != nullptr && has_untold_.load(std::memory_order_acquire);
  }
  // Signals wait fds once more that a fault left low and whose owners have not come for so long.
  // When to call it next; none: no such fd.
  std::optional<hwsim::TimePoint> TellAgain(hwsim::TimePoint now, hwsim::Duration after);
  // When it has something to do, as far as is known.
  std::optional<hwsim::TimePoint> NextTellAgain() const;

  // Makes the wait fd readable at once, for an owner that is about to pause and wants to be
  // resumed.
  void TellSelf(OperationState& operation);

  // For an owner without a context: returns when `operation` leaves `phase`, or after `time_max`.
  void WaitWhile(OperationState& operation, Phase phase, hwsim::Duration time_max);

  struct Counts {
    uint64_t callbacks = 0;
    uint64_t fd_signals = 0;
    uint64_t nobody = 0;  // the context was closed, or had neither callback nor fd
    uint64_t again = 0;   // fds signalled by TellAgain
  };
  Counts counts() const;

 private:
  void Settle(OperationState& operation, uint32_t tokens_taken);
  void StrikeWaiter(OperationState& operation);
  // Tells through the fd of `line`, or does what a fault says.
  void Signal(OperationState& operation, WaitLine& line, Phase next);

  const void* const key_;
  const std::unique_ptr<NotificationFaults> faults_;  // null: none

  // Contexts whose wait fd was not signalled, by a fault.
  mutable hwsim::Mutex untold_mutex_;
  std::vector<waitctx::WaitContextRef> untold_ GHOSTCARD_GUARDED_BY(untold_mutex_);
  std::optional<hwsim::TimePoint> tell_again_ GHOSTCARD_GUARDED_BY(untold_mutex_);
  std::atomic<bool> has_untold_{false};  // set and cleared under the lock
  std::atomic<uint64_t> again_{0};
  // Counters only: no order needed.
  std::atomic<uint64_t> callbacks_{0};
  std::atomic<uint64_t> fd_signals_{0};
  std::atomic<uint64_t> nobody_{0};

  std::mutex synchronous_mutex_;  // orders a synchronous owner's look at its phase and its sleep
  std::condition_variable synchronous_told_;
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_NOTIFIER_H_
