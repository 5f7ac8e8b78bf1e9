// CardTime: the card's own clock. It stands still while the card hangs, and runs as fast as the
// world's clock (the driver's) otherwise.
//
// Threads: one at a time, the caller of the model. Time: both clocks start equal.
#ifndef GHOSTCARD_HWSIM_MODEL_CARD_TIME_H_
#define GHOSTCARD_HWSIM_MODEL_CARD_TIME_H_

#include <optional>

#include "hwsim/base/clock.h"

namespace hwsim::model {

class CardTime {
 public:
  // Converts a time of the driver's clock to the card's clock. While the card's clock stands still:
  // the time at which it stopped.
  TimePoint FromWorld(TimePoint world) const {
    return frozen_since_.value_or(world) - frozen_total_;
  }
  // Converts a time of the card's clock to the driver's clock. Requires: the result is not before
  // the end of the last hang.
  TimePoint ToWorld(TimePoint card) const { return card + frozen_total_; }

  bool frozen() const { return frozen_since_.has_value(); }
  // Since when the clock stands still, in the world's time; nullopt: it runs.
  std::optional<TimePoint> frozen_since() const { return frozen_since_; }

  // The clock stops. Requires: it runs.
  void Freeze(TimePoint world) { frozen_since_ = world; }
  // The clock goes on from where it stood. Requires: it stands still.
  void Thaw(TimePoint world) {
    frozen_total_ += world - *frozen_since_;
    frozen_since_.reset();
  }

 private:
  std::optional<TimePoint> frozen_since_;
  Duration frozen_total_{};  // of all hangs that are over
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_CARD_TIME_H_
