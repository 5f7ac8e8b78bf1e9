#include "engine/run/health_watch.h"

#include <algorithm>
#include <utility>

#include "hwsim/base/coverage_mark.h"

namespace engine::run {

using hwsim::Duration;
using hwsim::TimePoint;
using hwsim::model::CardState;

Duration HealthWatch::Interval(const HealthOptions& options) {
  if (options.heartbeat_interval == Duration::zero()) return options.stuck_limit;
  if (options.stuck_limit == Duration::zero()) return options.heartbeat_interval;
  return std::min(options.heartbeat_interval, options.stuck_limit);
}

std::optional<TimePoint> HealthWatch::Rest() {
  next_look_ns_.store(kNoLook, std::memory_order_relaxed);
  return std::nullopt;
}

std::optional<TimePoint> HealthWatch::Begin(TimePoint now) {
  stale_looks_ = 0;
  last_beat_ = card_.heartbeat();
  completed_at_look_ = completed_.load(std::memory_order_relaxed);
  return LookAgain(now);
}

std::optional<TimePoint> HealthWatch::LookAgain(TimePoint now) {
  const TimePoint next = now + interval_;
  next_look_ns_.store(next.time_since_epoch().count(), std::memory_order_relaxed);
  return next;
}

std::optional<TimePoint> HealthWatch::NextLook() const {
  const int64_t next = next_look_ns_.load(std::memory_order_relaxed);
  return next == kNoLook ? std::nullopt : std::optional(TimePoint(Duration(next)));
}

bool HealthWatch::HeartbeatFailed() {
  if (options_.heartbeat_interval == Duration::zero()) return false;
  const uint64_t beat = card_.heartbeat();
  const uint64_t count = completed_.load(std::memory_order_relaxed);
  const bool completed = std::exchange(completed_at_look_, count) != count;
  if (beat != last_beat_) {
    last_beat_ = beat;
    stale_looks_ = 0;
    return false;
  }
  if (++stale_looks_ < options_.stale_looks_max) return false;
  stale_looks_ = 0;
  if (!completed) return true;
  // The heartbeat has stopped, but the card works.
  GHOSTCARD_COVERAGE_MARK("a false heartbeat alarm");
  false_alarms_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void HealthWatch::Check(TimePoint now, std::optional<TimePoint> oldest_given_up) {
  if (card_.state() != CardState::kUp) {
    // A card that is down does not beat.
    stale_looks_ = 0;
    return;
  }
  const bool stuck = options_.stuck_limit != Duration::zero() && oldest_given_up &&
                     *oldest_given_up + options_.stuck_limit <= now;
  if (!HeartbeatFailed() && !stuck) return;
  if (stuck) {
    GHOSTCARD_COVERAGE_MARK("reset for a stuck request");
  } else {
    GHOSTCARD_COVERAGE_MARK("reset for a heartbeat that stopped");
  }
  resets_.fetch_add(1, std::memory_order_relaxed);
  card_.Reset();
}

HealthWatch::Counts HealthWatch::counts() const {
  return {.resets = resets_.load(std::memory_order_relaxed),
          .false_alarms = false_alarms_.load(std::memory_order_relaxed)};
}

}  // namespace engine::run
