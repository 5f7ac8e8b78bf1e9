// InterruptModerator: decides when completions make the interrupt lines of their queue pairs rise
// (Moderation in profile.h).
//
// Threads: one at a time, the caller of the model. Time: the card's own (card_time.h).
#ifndef GHOSTCARD_HWSIM_MODEL_INTERRUPT_MODERATOR_H_
#define GHOSTCARD_HWSIM_MODEL_INTERRUPT_MODERATOR_H_

#include <cstdint>
#include <vector>

#include "hwsim/model/profile.h"

namespace hwsim::model {

class InterruptModerator {
 public:
  static constexpr TimePoint kNever = TimePoint::max();

  InterruptModerator(const Moderation& moderation, uint32_t queue_pairs)
      : moderation_(moderation), lines_(queue_pairs) {}

  // Whether interrupts are raised at all.
  bool on() const { return on_; }
  // Turning interrupts off forgets the completions that no interrupt has signalled yet.
  void SetOn(bool on) {
    if (on_ && !on) {
      for (uint32_t index = 0; index < lines_.size(); ++index) Risen(index);
    }
    on_ = on;
  }

  // A request of the queue pair completes at `at`. Returns whether the line rises with it.
  bool Completed(uint32_t index, TimePoint at) {
    if (!on_) return false;
    Line& line = lines_[index];
    ++line.unsignalled;
    if (line.unsignalled >= moderation_.count || moderation_.time == Duration::zero()) {
      Risen(index);
      return true;
    }
    if (line.unsignalled == 1) StartTimer(index, at + moderation_.time);
    return false;
  }

  // When the first moderation timer ends; kNever: none runs.
  TimePoint Next() const { return first_timer_ == kNone ? kNever : lines_[first_timer_].timer_end; }
  // The queue pair whose timer ends at Next(). Requires: Next() is not kNever.
  uint32_t first() const { return first_timer_; }
  // Whether a completion of the queue pair has not been signalled yet.
  bool HasUnsignalled(uint32_t index) const { return lines_[index].unsignalled != 0; }
  // The line rises for every completion until now, or need not rise for them. Its timer stops.
  void Risen(uint32_t index) {
    lines_[index].unsignalled = 0;
    if (lines_[index].timer_end != kNever) StopTimer(index);
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Line {
    uint32_t unsignalled = 0;  // completions since the line last rose
    // While a moderation timer runs: its end, and its neighbours in the list of timers.
    TimePoint timer_end = kNever;
    uint32_t timer_before = kNone;
    uint32_t timer_after = kNone;
  };

  // All timers run equally long, so they end in the order of their start: a list is enough.
  void StartTimer(uint32_t index, TimePoint end) {
    Line& line = lines_[index];
    line.timer_end = end;
    line.timer_before = last_timer_;
    line.timer_after = kNone;
    (last_timer_ == kNone ? first_timer_ : lines_[last_timer_].timer_after) = index;
    last_timer_ = index;
  }
  void StopTimer(uint32_t index) {
    Line& line = lines_[index];
    const uint32_t before = line.timer_before;
    const uint32_t after = line.timer_after;
    (before == kNone ? first_timer_ : lines_[before].timer_after) = after;
    (after == kNone ? last_timer_ : lines_[after].timer_before) = before;
    line.timer_end = kNever;
  }

  const Moderation moderation_;
  bool on_ = true;
  std::vector<Line> lines_;
  uint32_t first_timer_ = kNone;
  uint32_t last_timer_ = kNone;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_INTERRUPT_MODERATOR_H_
