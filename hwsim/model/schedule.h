// Schedule: things to be done at given times, in order of time; ties in the order of Add.
//
// Threads: none of its own. Limits: allocates; for rare things, such as faults.
#ifndef GHOSTCARD_HWSIM_MODEL_SCHEDULE_H_
#define GHOSTCARD_HWSIM_MODEL_SCHEDULE_H_

#include <map>
#include <utility>
#include <vector>

#include "hwsim/base/clock.h"

namespace hwsim::model {

template <typename T>
class Schedule {
 public:
  static constexpr TimePoint kNever = TimePoint::max();

  void Add(TimePoint at, T thing) { things_.emplace(at, std::move(thing)); }
  // The time of the first one; kNever: there is none.
  TimePoint next() const { return things_.empty() ? kNever : things_.begin()->first; }
  // Takes the first one. Requires: next() is not kNever.
  T Pop() { return std::move(things_.extract(things_.begin()).mapped()); }
  // Takes all of them, in order.
  std::vector<T> TakeAll() {
    std::vector<T> all;
    for (auto& [at, thing] : things_) all.push_back(std::move(thing));
    things_.clear();
    return all;
  }

 private:
  std::multimap<TimePoint, T> things_;  // emplace puts a tie behind the ones that are there
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_SCHEDULE_H_
