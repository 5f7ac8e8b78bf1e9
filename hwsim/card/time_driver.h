// TimeDriver: how a caller lets time pass on a card in virtual time (Card::time_driver).
//
// Threads: the card's only thread.
#ifndef GHOSTCARD_HWSIM_CARD_TIME_DRIVER_H_
#define GHOSTCARD_HWSIM_CARD_TIME_DRIVER_H_

#include "hwsim/base/clock.h"

namespace hwsim::card {

class TimeDriver {
 public:
  // Moves the clock to the card's next event and makes the event happen. False: no event is
  // pending, and the clock did not move.
  virtual bool Step() = 0;
  // Moves the clock to the next event or to `to`, whichever is earlier, and makes everything due
  // by then happen. A `to` in the past leaves the clock where it is. False: the card cannot move
  // its clock to a given time, and nothing happened.
  virtual bool StepUntil(TimePoint to) = 0;

 protected:
  ~TimeDriver() = default;
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_TIME_DRIVER_H_
