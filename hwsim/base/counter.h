// Counter: a count that one thread writes and any thread reads, without a locked instruction.
//
// Threads: Add and RaiseTo from one thread; value from any.
#ifndef GHOSTCARD_HWSIM_BASE_COUNTER_H_
#define GHOSTCARD_HWSIM_BASE_COUNTER_H_

#include <atomic>
#include <cstdint>

namespace hwsim {

class Counter {
 public:
  void Add(uint64_t count) { value_.store(value() + count, std::memory_order_relaxed); }
  // Sets the count to `least` if it is lower.
  void RaiseTo(uint64_t least) {
    if (least > value()) value_.store(least, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  // Relaxed: a count orders nothing else.
  std::atomic<uint64_t> value_{0};
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_COUNTER_H_
