// Pacer: how early to get up for a deadline, and how long to spin before going to
// sleep. Both are the cost of a wake-up, which it learns from the sleeps it is told of.
//
// Threads: one. Time: what it is told.
#ifndef GHOSTCARD_HWSIM_PACER_H_
#define GHOSTCARD_HWSIM_PACER_H_

#include <algorithm>
#include <chrono>

#include "hwsim/clock.h"

namespace hwsim {

class Pacer {
 public:
  // A sleep with a time limit ended so much behind it.
  void Overslept(Duration by) {
    // Follows a high percentile: a step up weighs as much as kUpPerDown steps down, so it
    // settles where one sleep in so many takes longer.
    const Duration step = margin_ / 128 + Duration(1);
    margin_ += by > margin_ ? step * kUpPerDown : -step;
    margin_ = std::clamp(margin_, kMarginMin, kMarginMax);
  }

  // Sleep until so long before the deadline, then spin.
  Duration margin() const { return margin_; }
  // Spin so long after the last thing that happened: as long as a wake-up costs, which is
  // never more than twice the best that could have been done.
  Duration spin() const { return std::min(margin_, kSpinMax); }

 private:
  static constexpr int kUpPerDown = 32;
  static constexpr Duration kMarginMin = std::chrono::microseconds(5);
  static constexpr Duration kMarginMax = std::chrono::microseconds(200);
  // Where there are few processors the spinner takes one from whom it waits for.
  static constexpr Duration kSpinMax = std::chrono::microseconds(50);

  Duration margin_ = std::chrono::microseconds(60);
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_PACER_H_
