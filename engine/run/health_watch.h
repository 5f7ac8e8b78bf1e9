// HealthWatch: whether the card is alive, and what is done if it is not.
//
// Looks at intervals while a request is in flight. If the heartbeat does not advance for several
// looks and no request completed before the last look, the card hangs: it is reset, which answers
// every request that it has. If the heartbeat does not advance but requests complete, that is a
// false alarm, which is counted. A request that stays on the card long after its run was given up
// has lost its response: a reset gives its buffers back.
//
// Threads: NoteSubmitted, NoteCompleted, NextLook and counts from any; Look from one at a time.
#ifndef GHOSTCARD_ENGINE_RUN_HEALTH_WATCH_H_
#define GHOSTCARD_ENGINE_RUN_HEALTH_WATCH_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "hwsim/card/card.h"

namespace engine::run {

struct HealthOptions {
  // How often to look at the heartbeat; 0: never. Longer than the card's heartbeat interval.
  hwsim::Duration heartbeat_interval{};
  uint32_t stale_looks_max = 3;  // the card hangs after this number of looks without a beat
  // A request counts as lost when it is still on the card this long after its run was given up; 0:
  // never.
  hwsim::Duration stuck_limit{};
};

class HealthWatch {
 public:
  HealthWatch(hwsim::card::Card& card, const HealthOptions& options)
      : card_(card), options_(options) {}
  HealthWatch(const HealthWatch&) = delete;
  HealthWatch& operator=(const HealthWatch&) = delete;

  // A request was accepted. True: no look is due; the caller sees to it that Look is called.
  bool NoteSubmitted() {
    // Changed by exchange only: of two threads, the later one sees what the earlier one wrote
    // before its exchange.
    return interval_ != hwsim::Duration::zero() && !watching_.load(std::memory_order_acquire) &&
           !watching_.exchange(true, std::memory_order_acq_rel);
  }
  void NoteCompleted(size_t count) {
    // Relaxed: evidence that may be a little old.
    if (interval_ != hwsim::Duration::zero()) {
      completed_.fetch_add(count, std::memory_order_relaxed);
    }
  }

  // Looks if it is time to. `in_flight()` returns how many requests the card has;
  // `oldest_given_up()` when the oldest run was given up whose request the card still has. Returns
  // when to look next; none: not before NoteSubmitted returns true.
  template <typename InFlight, typename OldestGivenUp>
  std::optional<hwsim::TimePoint> Look(hwsim::TimePoint now, InFlight in_flight,
                                       OldestGivenUp oldest_given_up) {
    if (interval_ == hwsim::Duration::zero()) return std::nullopt;
    watching_.exchange(false, std::memory_order_acq_rel);
    if (in_flight() == 0) return Rest();
    watching_.exchange(true, std::memory_order_acq_rel);
    const int64_t next = next_look_ns_.load(std::memory_order_relaxed);
    if (next == kNoLook) return Begin(now);
    if (now.time_since_epoch().count() < next) return hwsim::TimePoint(hwsim::Duration(next));
    Check(now, oldest_given_up());
    return LookAgain(now);
  }
  // When Look has something to do; none: no look is due.
  std::optional<hwsim::TimePoint> NextLook() const;

  struct Counts {
    uint64_t resets = 0;
    uint64_t false_alarms = 0;
  };
  Counts counts() const;

 private:
  static constexpr int64_t kNoLook = INT64_MAX;

  std::optional<hwsim::TimePoint> Rest();
  std::optional<hwsim::TimePoint> Begin(hwsim::TimePoint now);
  std::optional<hwsim::TimePoint> LookAgain(hwsim::TimePoint now);
  void Check(hwsim::TimePoint now, std::optional<hwsim::TimePoint> oldest_given_up);
  bool HeartbeatFailed();
  static hwsim::Duration Interval(const HealthOptions& options);

  hwsim::card::Card& card_;
  const HealthOptions options_;
  const hwsim::Duration interval_ = Interval(options_);  // 0: never look
  std::atomic<bool> watching_{false};
  std::atomic<uint64_t> completed_{0};
  // Relaxed, like the counters: each value stands alone.
  std::atomic<int64_t> next_look_ns_{kNoLook};
  std::atomic<uint64_t> resets_{0};
  std::atomic<uint64_t> false_alarms_{0};

  // Of the thread that calls Look.
  uint64_t last_beat_ = 0;
  uint64_t completed_at_look_ = 0;
  uint32_t stale_looks_ = 0;
};

}  // namespace engine::run

#endif  // GHOSTCARD_ENGINE_RUN_HEALTH_WATCH_H_
