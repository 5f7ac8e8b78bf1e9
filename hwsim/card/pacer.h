// Pacer: how long before a deadline a thread has to wake up, and how long it spins before it
// sleeps. Both equal the cost of a wake-up, which the pacer learns from the sleeps reported to it.
//
// Threads: one.
#ifndef GHOSTCARD_HWSIM_CARD_PACER_H_
#define GHOSTCARD_HWSIM_CARD_PACER_H_

#include <algorithm>
#include <chrono>

#include "hwsim/base/clock.h"

namespace hwsim::card {

class Pacer {
 public:
  // Reports a sleep that ended `by` after its time limit.
  void Overslept(Duration by) {
    // The margin follows a high percentile: one step up equals kUpPerDown steps down, so the
    // margin settles where about one sleep in kUpPerDown takes longer.
    const Duration step = margin_ / 128 + Duration(1);
    margin_ += by > margin_ ? step * kUpPerDown : -step;
    margin_ = std::clamp(margin_, kMarginMin, kMarginMax);
  }

  // Sleep until this long before the deadline, then spin.
  Duration margin() const { return margin_; }
  // Spin this long after the last event, then sleep. Spinning as long as a wake-up costs wastes at
  // most twice the time of the best possible choice.
  Duration spin() const { return std::min(margin_, kSpinMax); }

 private:
  static constexpr int kUpPerDown = 32;
  static constexpr Duration kMarginMin = std::chrono::microseconds(5);
  static constexpr Duration kMarginMax = std::chrono::microseconds(200);
  // Bounded: on a machine with few processors, the spinning thread holds one that the thread it
  // waits for may need.
  static constexpr Duration kSpinMax = std::chrono::microseconds(50);

  Duration margin_ = std::chrono::microseconds(60);
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_PACER_H_
