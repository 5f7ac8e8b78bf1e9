// InterruptLine: the eventfd of a channel, and whether it may rise.
//
// A line rises once for each time it was armed: a handler that was told needs no
// second word before it has drained and armed again. How often the eventfd was written
// is no measure of that: the kernel may write it twice for one completion, where the
// submitter's own requests end at that moment.
// Threads: Take and Raise from the card's service thread; Arm, Disarm from
// whoever drains; fd from any.
#ifndef GHOSTCARD_HWSIM_RINGS_INTERRUPT_LINE_H_
#define GHOSTCARD_HWSIM_RINGS_INTERRUPT_LINE_H_

#include <atomic>
#include <utility>

#include "hwsim/fd.h"

namespace hwsim {

class InterruptLine {
 public:
  explicit InterruptLine(EventFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.fd(); }

  // True: the line was armed, is not any more, and the caller now makes the
  // eventfd readable, once. Call it after completions are posted: seq_cst with
  // Arm(), so either this sees the line armed or the drainer, who looks at the
  // ring after Arm(), sees the completions.
  bool Take() {
    if (!armed_.load(std::memory_order_seq_cst)) return false;
    return TakeWithBarrier();
  }
  // The same where what was posted is the kernel's store, which our seq_cst does
  // not order: the exchange is a full barrier even when the line is not armed.
  bool TakeWithBarrier() { return armed_.exchange(false, std::memory_order_seq_cst); }
  void Signal() const { fd_.Signal(); }
  void Raise() {
    if (Take()) Signal();
  }

  void Arm() { armed_.store(true, std::memory_order_seq_cst); }
  // A rise that is under way may still land behind this: the fd is then readable once more,
  // for nothing.
  void Disarm() {
    armed_.store(false, std::memory_order_seq_cst);
    fd_.Drain();
  }

 private:
  const EventFd fd_;
  std::atomic<bool> armed_{false};
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_RINGS_INTERRUPT_LINE_H_
