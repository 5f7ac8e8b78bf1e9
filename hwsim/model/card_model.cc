#include "hwsim/model/card_model.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "hwsim/check.h"
#include "hwsim/model/time_queue.h"

namespace hwsim {

namespace {

struct Pending {
  RequestId request = 0;
  uint32_t queue_pair = 0;
  uint32_t size_bytes = 0;
  OperationKind operation = OperationKind::kNull;
  CompletionStatus status = CompletionStatus::kOk;
  TimePoint service_start{};
};

struct ModerationTimer {
  uint32_t queue_pair = 0;
  uint64_t interrupts_before = 0;  // stale once the line has risen since
};

// Keeps starts apart. Below a nanosecond it counts in parts of 2^32, so that the average does not
// drift by rounding.
class RateCap {
 public:
  explicit RateCap(double rate_per_s_max = 0) {
    if (rate_per_s_max <= 0) return;
    const double ns = 1e9 / rate_per_s_max;
    const double whole = std::floor(ns);
    on_ = true;
    spacing_ = Duration(static_cast<int64_t>(whole));
    spacing_parts_ = static_cast<uint64_t>((ns - whole) * 0x1p32);
  }

  // The earliest start from `now` on.
  TimePoint Start(TimePoint now) {
    if (!on_) return now;
    if (now > next_ || (now == next_ && next_parts_ == 0)) {
      next_ = now;
      next_parts_ = 0;
    }
    const TimePoint start = next_ + Duration(next_parts_ > 0 ? 1 : 0);
    next_parts_ += spacing_parts_;
    next_ += spacing_ + Duration(next_parts_ >> 32);
    next_parts_ &= 0xffffffff;
    return start;
  }

 private:
  bool on_ = false;
  Duration spacing_{};
  uint64_t spacing_parts_ = 0;
  TimePoint next_{};
  uint64_t next_parts_ = 0;
};

struct QueuePairState {
  RingQueue<Pending> waiting;
  uint32_t unsignalled = 0;  // completions since the line last rose
  uint64_t interrupts = 0;   // times it rose
};

}  // namespace

class CardModel::Impl {
 public:
  Impl(const Profile& profile, uint32_t queue_pairs, uint64_t seed)
      : profile_(profile),
        engines_free_(profile.engines),
        latencies_(Random(seed).Fork(1)),
        faults_(profile.faults, FaultSite::kService, Random(seed).Fork(2)),
        queue_pairs_(queue_pairs) {
    for (size_t i = 0; i < kOperationKindCount; ++i) {
      rate_caps_[i] = RateCap(profile.operations[i].rate_per_s_max);
    }
  }

  void Arrive(TimePoint now, Pending pending) {
    GHOSTCARD_CHECK(now >= now_, "the model's time does not run backwards");
    now_ = now;
    ++pending_;
    if (!faults_.empty() && faults_.At(pending.operation, pending.queue_pair)) {
      pending.status = CompletionStatus::kDeviceError;
    }
    // Somebody waits only while no engine is free: then there is no one to overtake.
    if (engines_free_ > 0) {
      StartService(now, pending);
      return;
    }
    QueuePairState& queue_pair = queue_pairs_[pending.queue_pair];
    if (queue_pair.waiting.empty()) turns_.push(pending.queue_pair);
    queue_pair.waiting.push(pending);
  }

  std::optional<TimePoint> NextEvent() const {
    std::optional<TimePoint> next;
    for (const auto& time : {serving_.next(), transit_.next(), timers_.next()}) {
      if (time && (!next || *time < *next)) next = time;
    }
    return next;
  }

  void Advance(TimePoint now, std::vector<ModelEvent>& events) {
    GHOSTCARD_CHECK(now >= now_, "the model's time does not run backwards");
    now_ = now;
    constexpr TimePoint kNever = TimePoint::max();
    for (;;) {
      const TimePoint served = serving_.next().value_or(kNever);
      const TimePoint arrived = transit_.next().value_or(kNever);
      const TimePoint timer = timers_.next().value_or(kNever);
      const TimePoint next = std::min({served, arrived, timer});
      if (next > now || next == kNever) return;
      // At one instant: services end, then requests complete, then timers run out.
      if (served == next) {
        EndService(served, events);
      } else if (arrived == next) {
        Complete(transit_.pop().second, next, events);
      } else {
        OnTimer(timers_.pop().second, next, events);
      }
    }
  }

  size_t pending() const { return pending_; }

  void SetInterrupts(bool on) {
    interrupts_on_ = on;
    if (on) return;
    for (QueuePairState& queue_pair : queue_pairs_) queue_pair.unsignalled = 0;
    timers_.drop_while([](const ModerationTimer&) { return true; });
  }

 private:
  void StartService(TimePoint now, Pending& pending) {
    --engines_free_;
    const auto kind = static_cast<size_t>(pending.operation);
    const TimePoint start = rate_caps_[kind].Start(now);
    pending.service_start = start;
    const Duration service = profile_.operations[kind].service.Draw(latencies_, pending.size_bytes);
    serving_.push(start + service, pending);
  }

  void EndService(TimePoint at, std::vector<ModelEvent>& events) {
    const Pending pending = serving_.pop().second;
    ++engines_free_;
    if (!turns_.empty()) StartNext(at);
    const Duration transit = profile_.transit.Draw(latencies_, pending.size_bytes);
    if (transit == Duration::zero()) {
      Complete(pending, at, events);
    } else {
      transit_.push(at + transit, pending);
    }
  }

  // The queue pair whose turn it is gives its oldest, and goes to the back of the line.
  void StartNext(TimePoint now) {
    const uint32_t turn = turns_.pop();
    QueuePairState& queue_pair = queue_pairs_[turn];
    Pending pending = queue_pair.waiting.pop();
    if (!queue_pair.waiting.empty()) turns_.push(turn);
    StartService(now, pending);
  }

  void Complete(const Pending& pending, TimePoint at, std::vector<ModelEvent>& events) {
    --pending_;
    events.push_back({.kind = ModelEvent::Kind::kComplete,
                      .status = pending.status,
                      .queue_pair = pending.queue_pair,
                      .request = pending.request,
                      .service_start = pending.service_start,
                      .at = at});
    if (!interrupts_on_) return;
    QueuePairState& queue_pair = queue_pairs_[pending.queue_pair];
    ++queue_pair.unsignalled;
    const Moderation& moderation = profile_.moderation;
    if (queue_pair.unsignalled >= moderation.count || moderation.time == Duration::zero()) {
      Interrupt(pending.queue_pair, at, events);
    } else if (queue_pair.unsignalled == 1) {
      timers_.push(at + moderation.time,
                   {.queue_pair = pending.queue_pair, .interrupts_before = queue_pair.interrupts});
    }
  }

  void OnTimer(ModerationTimer timer, TimePoint at, std::vector<ModelEvent>& events) {
    QueuePairState& queue_pair = queue_pairs_[timer.queue_pair];
    if (queue_pair.interrupts == timer.interrupts_before && queue_pair.unsignalled > 0) {
      Interrupt(timer.queue_pair, at, events);
    }
  }

  void Interrupt(uint32_t index, TimePoint at, std::vector<ModelEvent>& events) {
    queue_pairs_[index].unsignalled = 0;
    ++queue_pairs_[index].interrupts;
    events.push_back(
        {.kind = ModelEvent::Kind::kInterrupt, .queue_pair = index, .request = 0, .at = at});
    // A timer that the line has overtaken is no event: nobody should wake up for it.
    timers_.drop_while([&](const ModerationTimer& timer) {
      return queue_pairs_[timer.queue_pair].interrupts != timer.interrupts_before;
    });
  }

  const Profile profile_;
  uint32_t engines_free_;
  Random latencies_;
  FaultInjector faults_;
  bool interrupts_on_ = true;
  TimePoint now_{};
  size_t pending_ = 0;

  std::vector<QueuePairState> queue_pairs_;
  RingQueue<uint32_t> turns_;  // queue pairs with somebody waiting, in the order of their turns
  TimeQueue<Pending> serving_;
  TimeQueue<Pending> transit_;
  TimeQueue<ModerationTimer> timers_;
  std::array<RateCap, kOperationKindCount> rate_caps_;
};

CardModel::CardModel(const Profile& profile, uint32_t queue_pairs, uint64_t seed)
    : impl_(std::make_unique<Impl>(profile, queue_pairs, seed)) {}
CardModel::~CardModel() = default;

void CardModel::Arrive(TimePoint now, RequestId request, uint32_t queue_pair,
                       OperationKind operation, uint32_t size_bytes) {
  impl_->Arrive(now, {.request = request,
                      .queue_pair = queue_pair,
                      .size_bytes = size_bytes,
                      .operation = operation});
}

std::optional<TimePoint> CardModel::NextEvent() const { return impl_->NextEvent(); }
void CardModel::Advance(TimePoint now, std::vector<ModelEvent>& events) {
  impl_->Advance(now, events);
}
size_t CardModel::pending() const { return impl_->pending(); }
void CardModel::SetInterrupts(bool on) { impl_->SetInterrupts(on); }

}  // namespace hwsim
