// Clock: the source of the time. MonotonicClock reads CLOCK_MONOTONIC. VirtualClock stands still
// until it is told to advance, so a simulated run gives the same results each time.
//
// Threads: a MonotonicClock from any thread; a VirtualClock from one thread.
// Time: nanoseconds. A MonotonicClock counts from the machine's start, a VirtualClock from 0.
#ifndef GHOSTCARD_HWSIM_BASE_CLOCK_H_
#define GHOSTCARD_HWSIM_BASE_CLOCK_H_

#include <chrono>

#include "hwsim/base/check.h"

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
  // Sets the time. Requires: `to` is not before Now().
  void AdvanceTo(TimePoint to) {
    GHOSTCARD_CHECK(to >= now_, "virtual time does not run backwards");
    now_ = to;
  }

 private:
  TimePoint now_{};
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_CLOCK_H_
