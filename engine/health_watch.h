// HealthWatch: whether the card is alive, and what is done if it is not.
//
// Looks now and then while something is in flight. The heartbeat stands still for several looks and
// nothing completes before the last: the card hangs and is reset, which answers what it has. It
// stands still and requests complete: a false alarm, which is counted. A request that its run gave
// up on long ago is still on the card: its response was lost, and a reset gives its buffers back.
//
// Threads: NoteSubmitted, NoteCompleted and NextLook from any; Look from one at a time.
#ifndef GHOSTCARD_ENGINE_HEALTH_WATCH_H_
#define GHOSTCARD_ENGINE_HEALTH_WATCH_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "hwsim/card.h"

namespace engine {

struct HealthOptions {
  // How often the heartbeat is looked at; 0: not at all. Longer than the card's heartbeat.
  hwsim::Duration heartbeat_interval{};
  uint32_t stale_looks_max = 3;  // so many looks without a beat: the card hangs
  // A request is on the card for so long after its run was given up: it is lost; 0: never.
  hwsim::Duration stuck_limit{};
};

class HealthWatch {
 public:
  HealthWatch(hwsim::Card& card, const HealthOptions& options) : card_(card), options_(options) {}
  HealthWatch(const HealthWatch&) = delete;
  HealthWatch& operator=(const HealthWatch&) = delete;

  // A request was accepted. True: nobody is watching; the caller sees to it that Look is called.
  bool NoteSubmitted() {
    // Only exchanges change it: the later of two sees what the earlier did before.
    return interval_ != hwsim::Duration::zero() && !watching_.load(std::memory_order_acquire) &&
           !watching_.exchange(true, std::memory_order_acq_rel);
  }
  void NoteCompleted(size_t count) {
    // Relaxed: evidence that may be a little old.
    if (interval_ != hwsim::Duration::zero()) {
      completed_.fetch_add(count, std::memory_order_relaxed);
    }
  }

  // Looks if it is time to. `in_flight()` says how many requests the card has; `oldest_given_up()`
  // since when, at the most, it keeps one that was given up. When to look next; none: not before
  // NoteSubmitted says so.
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
  // When Look has something to do; none: nothing is watched.
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

  hwsim::Card& card_;
  const HealthOptions options_;
  const hwsim::Duration interval_ = Interval(options_);  // 0: nothing is to be watched
  std::atomic<bool> watching_{false};
  std::atomic<uint64_t> completed_{0};
  // Relaxed, as the counters are: readings that stand alone.
  std::atomic<int64_t> next_look_ns_{kNoLook};
  std::atomic<uint64_t> resets_{0};
  std::atomic<uint64_t> false_alarms_{0};

  // The looker's.
  uint64_t last_beat_ = 0;
  uint64_t completed_at_look_ = 0;
  uint32_t stale_looks_ = 0;
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_HEALTH_WATCH_H_
