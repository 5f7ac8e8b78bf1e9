// Clock: where the time comes from. MonotonicClock reads CLOCK_MONOTONIC;
// VirtualClock is told the time from outside, which is what makes a simulated
// run the same each time.
//
// Threads: Now() from any thread. VirtualClock is for one thread.
#ifndef GHOSTCARD_HWSIM_CLOCK_H_
#define GHOSTCARD_HWSIM_CLOCK_H_

#include <chrono>

#include "hwsim/check.h"

namespace hwsim {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

class MonotonicClock final : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
};

class VirtualClock final : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  // Requires: `to` is not before Now().
  void AdvanceTo(TimePoint to) {
    GHOSTCARD_CHECK(to >= now_, "virtual time does not run backwards");
    now_ = to;
  }

 private:
  TimePoint now_{};
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_CLOCK_H_
