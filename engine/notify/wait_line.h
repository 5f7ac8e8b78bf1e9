// WaitLine: one wait fd, by which one engine tells the jobs of one context. NotifyState: what the
// notifier keeps in an operation for one run.
//
// Each operation told through the fd leaves a token; its owner takes the token away. The fd is
// readable exactly while tokens are left.
//
// Ownership: the context's entry for the fd owns its WaitLine, and the entry's cleanup deletes it.
#ifndef GHOSTCARD_ENGINE_NOTIFY_WAIT_LINE_H_
#define GHOSTCARD_ENGINE_NOTIFY_WAIT_LINE_H_

#include <cstdint>
#include <utility>

#include "hwsim/base/clock.h"
#include "hwsim/base/fd.h"
#include "hwsim/base/mutex.h"

namespace engine::notify {

class WaitLine {
 public:
  explicit WaitLine(hwsim::EventFd fd) : fd_(std::move(fd)) {}

 private:
  friend class Notifier;
  const hwsim::EventFd fd_;
  // Held while a phase is published and the fd signalled: an owner that sees the phase finds both
  // the token and the signal. No user code runs under it.
  hwsim::Mutex mutex_;
  uint32_t tokens_ GHOSTCARD_GUARDED_BY(mutex_) = 0;
  // A wait_fd_twice fault: after the next token is taken, the fd becomes readable once more.
  bool twice_ GHOSTCARD_GUARDED_BY(mutex_) = false;
};

// Written by Notifier alone: on the owner's thread, except where it says otherwise.
struct NotifyState {
  WaitLine* line = nullptr;  // null: the owner is told by its callback or in place, or not at all
  // The owner waits for space, not for a result. The callback announces results, so the fd is
  // used if there is one.
  bool for_space = false;
  // Written by the teller while the phase is kTelling, read by the owner afterwards: the owner has
  // a token to take from `line`.
  bool told_by_fd = false;
  // A callback_worst_moment fault: before the owner pauses, another thread completes the operation;
  // it tries for this long at most. 0: no fault.
  hwsim::Duration complete_before_pause{};
};

}  // namespace engine::notify

#endif  // GHOSTCARD_ENGINE_NOTIFY_WAIT_LINE_H_
