// InterruptLine: the eventfd of a channel, and whether it may rise.
//
// A line rises once for each time it was armed: the handler pops everything and arms it again. The
// count in the eventfd does not tell how often the line rose: the kernel may write the eventfd
// twice for one completion if requests of the submitter's own end at that moment.
//
// Threads: Take and Raise from the card's service thread; Arm and Disarm from the thread that pops;
// fd from any.
#ifndef GHOSTCARD_HWSIM_RINGS_INTERRUPT_LINE_H_
#define GHOSTCARD_HWSIM_RINGS_INTERRUPT_LINE_H_

#include <atomic>
#include <utility>

#include "hwsim/base/fd.h"

namespace hwsim::rings {

class InterruptLine {
 public:
  explicit InterruptLine(EventFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.fd(); }

  // Disarms the line. True: it was armed, and the caller now makes the eventfd readable, once.
  // Call it after posting completions. seq_cst with Arm(): either this sees the line armed, or the
  // popping thread, which reads the ring after Arm(), sees the completions.
  bool Take() {
    if (!armed_.load(std::memory_order_seq_cst)) return false;
    return TakeWithBarrier();
  }
  // Take() for completions that the kernel posted: seq_cst does not order the kernel's stores, but
  // the exchange is a full barrier even when the line is not armed.
  bool TakeWithBarrier() { return armed_.exchange(false, std::memory_order_seq_cst); }
  void Signal() const { fd_.Signal(); }
  void Raise() {
    if (Take()) Signal();
  }

  void Arm() { armed_.store(true, std::memory_order_seq_cst); }
  // A rise that is under way may land after this: the fd is then readable without a completion.
  void Disarm() {
    armed_.store(false, std::memory_order_seq_cst);
    fd_.Drain();
  }

 private:
  const EventFd fd_;
  std::atomic<bool> armed_{false};
};

}  // namespace hwsim::rings

#endif  // GHOSTCARD_HWSIM_RINGS_INTERRUPT_LINE_H_
