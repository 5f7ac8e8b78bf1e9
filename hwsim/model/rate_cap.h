// RateCap: the time at which an operation may start next under its rate cap.
//
// Threads: one at a time, the caller of the model. Time: the card's own.
// Limits: exact to 2^-32 ns, so that rounding to the model's nanoseconds does not shift the average
// rate.
#ifndef GHOSTCARD_HWSIM_MODEL_RATE_CAP_H_
#define GHOSTCARD_HWSIM_MODEL_RATE_CAP_H_

#include <cmath>
#include <cstdint>

#include "hwsim/base/clock.h"

namespace hwsim::model {

class RateCap {
 public:
  // No cap.
  RateCap() = default;
  // 0: no cap.
  explicit RateCap(double rate_per_s) : capped_(rate_per_s > 0) {
    if (!capped_) return;
    const double ns = 1e9 / rate_per_s;
    spacing_ns_ = static_cast<int64_t>(std::floor(ns));
    spacing_fraction_ = static_cast<uint64_t>((ns - std::floor(ns)) * 0x1p32);
  }

  bool capped() const { return capped_; }
  // The first nanosecond at which the next start is allowed.
  TimePoint next() const { return TimePoint(Duration(next_ns_ + (next_fraction_ != 0))); }
  // Records a start. Time in which nothing started is not saved up. Requires: now >= next().
  void Start(TimePoint now) {
    if (now > next()) {
      next_ns_ = now.time_since_epoch().count();
      next_fraction_ = 0;
    }
    next_fraction_ += spacing_fraction_;
    next_ns_ += spacing_ns_ + static_cast<int64_t>(next_fraction_ >> 32);
    next_fraction_ &= UINT32_MAX;
  }

 private:
  bool capped_ = false;
  int64_t spacing_ns_ = 0;
  uint64_t spacing_fraction_ = 0;  // in 2^-32 ns
  int64_t next_ns_ = 0;
  uint64_t next_fraction_ = 0;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_RATE_CAP_H_
