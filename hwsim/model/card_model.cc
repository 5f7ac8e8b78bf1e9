#include "hwsim/model/card_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "hwsim/check.h"
#include "hwsim/model/fault_injector.h"
#include "hwsim/model/time_queue.h"

namespace hwsim {

namespace {

constexpr TimePoint kNever = TimePoint::max();
constexpr uint32_t kNone = UINT32_MAX;

struct Waiting {
  RequestId request = 0;
  uint64_t arrival = 0;  // counts arrivals
  uint32_t size_bytes = 0;
  OperationKind operation = OperationKind::kNull;
  CompletionStatus status = CompletionStatus::kOk;
};

struct Completion {
  TimePoint time{};
  uint64_t rank = 0;  // its arrival
  RequestId request = 0;
  TimePoint service_start{};
  uint32_t queue_pair = 0;
  CompletionStatus status = CompletionStatus::kOk;
};

// A fault that was decided on as a request arrived.
struct Decided {
  ModelEvent event;
  uint64_t rank = 0;  // the request's arrival
};

struct EngineFree {
  TimePoint time{};
  // Engines are alike. NOLINTNEXTLINE(readability-identifier-naming): a field as TimeQueue wants it
  static constexpr uint64_t rank = 0;
};

// A queue pair's place in the round robin: the lowest ticket that can start does.
struct Turn {
  uint64_t ticket = 0;
  uint32_t queue_pair = 0;
};

struct QueuePairState {
  RingQueue<Waiting> waiting;
  uint32_t unsignalled = 0;  // completions since the line last rose
  // While a moderation timer runs: its end, and its neighbours in the list of timers.
  TimePoint timer_end = kNever;
  uint32_t timer_before = kNone;
  uint32_t timer_after = kNone;
};

// When an operation may start next under its rate cap. Kept to 2^-32 ns, so that the average does
// not drift by rounding to the model's nanoseconds.
class RateCap {
 public:
  RateCap() = default;
  explicit RateCap(double rate_per_s) : capped_(rate_per_s > 0) {
    if (!capped_) return;
    const double ns = 1e9 / rate_per_s;
    spacing_ns_ = static_cast<int64_t>(std::floor(ns));
    spacing_fraction_ = static_cast<uint64_t>((ns - std::floor(ns)) * 0x1p32);
  }
  bool capped() const { return capped_; }
  // The first nanosecond at which a start is allowed.
  TimePoint next() const { return TimePoint(Duration(next_ns_ + (next_fraction_ != 0))); }
  // Requires: now >= next().
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

}  // namespace

class CardModel::Impl {
 public:
  Impl(const Profile& profile, uint32_t queue_pairs, uint64_t seed, TimePoint start)
      : operations_(profile.operations),
        transit_(profile.transit),
        transit_floor_(profile.transit.Floor()),
        moderation_(profile.moderation),
        latencies_(Random(seed).Fork(1)),
        faults_(profile.faults, FaultSite::kArrival, Random(seed).Fork(2), start),
        engines_free_(profile.engines),
        queue_pairs_(queue_pairs) {
    GHOSTCARD_CHECK(queue_pairs >= 1 && queue_pairs <= profile.queue_pairs_max,
                    "1 to queue_pairs_max queue pairs");
    for (size_t i = 0; i < kOperationKindCount; ++i) {
      caps_[i] = RateCap(profile.operations[i].rate_per_s_max);
    }
  }

  void Arrive(TimePoint now, Waiting request, uint32_t index) {
    GHOSTCARD_CHECK(now >= now_, "the model's time does not run backwards");
    GHOSTCARD_CHECK(index < queue_pairs_.size(), "no such queue pair");
    now_ = now;
    RunStarts(now);
    ++pending_;
    request.arrival = arrivals_++;
    if (!faults_.empty()) Strike(request, index);
    QueuePairState& queue_pair = queue_pairs_[index];
    const bool capped = caps_[static_cast<size_t>(request.operation)].capped();
    if (!capped && queue_pair.waiting.empty() && EngineIsFree(now)) {
      StartService(now, request, index);
      return;
    }
    const bool has_turn = !queue_pair.waiting.empty();
    queue_pair.waiting.push(request);
    if (has_turn) return;
    turns_.push({.ticket = tickets_++, .queue_pair = index});
    if (EngineIsFree(now)) Dispatch(now);
  }

  std::optional<TimePoint> NextEvent() const {
    TimePoint next = std::min(due_.next(), TimerNext());
    if (const TimePoint start = NextStart(); start != kNever) {
      next = std::min(next, start + transit_floor_);
    }
    return next == kNever ? std::nullopt : std::optional(next);
  }

  void Advance(TimePoint now, std::vector<ModelEvent>& events) {
    GHOSTCARD_CHECK(now >= now_, "the model's time does not run backwards");
    now_ = now;
    // Completing changes nothing for those who wait: all starts can come first.
    RunStarts(now);
    for (;;) {
      const TimePoint due = due_.next();
      const TimePoint timer = TimerNext();
      if (std::min(due, timer) > now) break;
      if (due <= timer) {
        const Completion completion = due_.pop();
        EmitFaults(due, completion.rank, events);
        Complete(completion, events);
      } else {
        EmitFaults(timer, 0, events);
        Interrupt(first_timer_, timer, events);
      }
    }
    EmitFaults(now, UINT64_MAX, events);
  }

  size_t pending() const { return pending_; }

  void SetInterrupts(bool on) {
    if (interrupts_on_ && !on) {
      while (first_timer_ != kNone) StopTimer(first_timer_);
      for (QueuePairState& queue_pair : queue_pairs_) queue_pair.unsignalled = 0;
    }
    interrupts_on_ = on;
  }

 private:
  // Decides what goes wrong with a request that arrives.
  void Strike(Waiting& request, uint32_t queue_pair) {
    const std::optional<Fault> fault =
        faults_.At({.operation = request.operation, .queue_pair = queue_pair, .now = now_});
    if (!fault) return;
    request.status = CompletionStatus::kDeviceError;
    decided_.push({.event = {.kind = ModelEvent::Kind::kFault,
                             .fault = fault->kind,
                             .rule = fault->rule,
                             .queue_pair = queue_pair,
                             .request = request.request,
                             .at = now_},
                   .rank = request.arrival});
  }

  // Hands out the faults decided before `time`, and at that time for arrivals up to `rank`.
  void EmitFaults(TimePoint time, uint64_t rank, std::vector<ModelEvent>& events) {
    while (!decided_.empty()) {
      const Decided& first = decided_.front();
      if (std::pair(first.event.at, first.rank) > std::pair(time, rank)) return;
      events.push_back(decided_.pop().event);
    }
  }

  bool EngineIsFree(TimePoint now) {
    while (engines_free_ == 0 && busy_.next() <= now) {
      busy_.pop();
      ++engines_free_;
    }
    return engines_free_ > 0;
  }

  // When the next of the waiting requests can start; kNever when none waits.
  TimePoint NextStart() const {
    if (turns_.empty() && kept_back_ == 0) return kNever;
    const TimePoint engine = engines_free_ > 0 ? TimePoint{} : busy_.next();
    if (!turns_.empty()) return engine;
    TimePoint allowed = kNever;
    for (uint32_t kinds = kept_back_; kinds != 0; kinds &= kinds - 1) {
      allowed = std::min(allowed, caps_[std::countr_zero(kinds)].next());
    }
    return std::max(engine, allowed);
  }

  void RunStarts(TimePoint now) {
    for (TimePoint start = NextStart(); start <= now; start = NextStart()) Dispatch(start);
  }

  // Starts as many of the waiting as there are engines free at `now`.
  void Dispatch(TimePoint now) {
    while (EngineIsFree(now)) {
      RingQueue<Turn>* line = NextLine(now);
      if (line == nullptr) return;
      const Turn turn = line->pop();
      QueuePairState& queue_pair = queue_pairs_[turn.queue_pair];
      const auto kind = static_cast<size_t>(queue_pair.waiting.front().operation);
      if (line != &turns_) {
        if (line->empty()) kept_back_ &= ~(1u << kind);
      } else if (caps_[kind].capped() && caps_[kind].next() > now) {
        lines_kept_back_[kind].push(turn);
        kept_back_ |= 1u << kind;
        continue;
      }
      const Waiting request = queue_pair.waiting.pop();
      if (!queue_pair.waiting.empty()) {
        turns_.push({.ticket = tickets_++, .queue_pair = turn.queue_pair});
      }
      StartService(now, request, turn.queue_pair);
    }
  }

  // The line whose first is next: of the turns and of those whom a cap kept back until now, the one
  // with the lowest ticket.
  RingQueue<Turn>* NextLine(TimePoint now) {
    RingQueue<Turn>* next = turns_.empty() ? nullptr : &turns_;
    for (uint32_t kinds = kept_back_; kinds != 0; kinds &= kinds - 1) {
      const int kind = std::countr_zero(kinds);
      RingQueue<Turn>& line = lines_kept_back_[kind];
      if (caps_[kind].next() > now) continue;
      if (next == nullptr || line.front().ticket < next->front().ticket) next = &line;
    }
    return next;
  }

  void StartService(TimePoint now, const Waiting& request, uint32_t queue_pair) {
    const auto kind = static_cast<size_t>(request.operation);
    if (caps_[kind].capped()) caps_[kind].Start(now);
    const Duration service = operations_[kind].service.Draw(latencies_, request.size_bytes);
    const Duration transit = transit_.Draw(latencies_, request.size_bytes);
    if (service != Duration::zero()) {
      --engines_free_;
      busy_.push({now + service});
    }
    due_.push({.time = now + service + transit,
               .rank = request.arrival,
               .request = request.request,
               .service_start = now,
               .queue_pair = queue_pair,
               .status = request.status});
  }

  void Complete(const Completion& completion, std::vector<ModelEvent>& events) {
    --pending_;
    events.push_back({.kind = ModelEvent::Kind::kComplete,
                      .status = completion.status,
                      .queue_pair = completion.queue_pair,
                      .request = completion.request,
                      .service_start = completion.service_start,
                      .at = completion.time});
    if (!interrupts_on_) return;
    QueuePairState& queue_pair = queue_pairs_[completion.queue_pair];
    ++queue_pair.unsignalled;
    if (queue_pair.unsignalled >= moderation_.count || moderation_.time == Duration::zero()) {
      Interrupt(completion.queue_pair, completion.time, events);
    } else if (queue_pair.unsignalled == 1) {
      StartTimer(completion.queue_pair, completion.time + moderation_.time);
    }
  }

  void Interrupt(uint32_t index, TimePoint at, std::vector<ModelEvent>& events) {
    queue_pairs_[index].unsignalled = 0;
    if (queue_pairs_[index].timer_end != kNever) StopTimer(index);
    events.push_back(
        {.kind = ModelEvent::Kind::kInterrupt, .queue_pair = index, .request = 0, .at = at});
  }

  // Timers all run equally long, so they end in the order of their start: a list is enough.
  TimePoint TimerNext() const {
    return first_timer_ == kNone ? kNever : queue_pairs_[first_timer_].timer_end;
  }
  void StartTimer(uint32_t index, TimePoint end) {
    QueuePairState& queue_pair = queue_pairs_[index];
    queue_pair.timer_end = end;
    queue_pair.timer_before = last_timer_;
    queue_pair.timer_after = kNone;
    (last_timer_ == kNone ? first_timer_ : queue_pairs_[last_timer_].timer_after) = index;
    last_timer_ = index;
  }
  void StopTimer(uint32_t index) {
    QueuePairState& queue_pair = queue_pairs_[index];
    const uint32_t before = queue_pair.timer_before;
    const uint32_t after = queue_pair.timer_after;
    (before == kNone ? first_timer_ : queue_pairs_[before].timer_after) = after;
    (after == kNone ? last_timer_ : queue_pairs_[after].timer_before) = before;
    queue_pair.timer_end = kNever;
  }

  const std::array<OperationCost, kOperationKindCount> operations_;
  const LatencyModel transit_;
  const Duration transit_floor_;
  const Moderation moderation_;
  Random latencies_;
  FaultInjector faults_;
  RingQueue<Decided> decided_;  // and not handed out yet
  bool interrupts_on_ = true;
  TimePoint now_{};
  size_t pending_ = 0;
  uint64_t arrivals_ = 0;

  // Engines: those free, and those last seen busy with the times when they become free. Looked
  // through only when none is free.
  uint32_t engines_free_;
  TimeQueue<EngineFree> busy_;

  // A queue pair with somebody waiting is in exactly one of these lines, each in order of tickets.
  std::vector<QueuePairState> queue_pairs_;
  RingQueue<Turn> turns_;
  std::array<RingQueue<Turn>, kOperationKindCount> lines_kept_back_;  // first waits for its cap
  uint32_t kept_back_ = 0;                                            // bit k: line k is not empty
  uint64_t tickets_ = 0;
  std::array<RateCap, kOperationKindCount> caps_;

  TimeQueue<Completion> due_;
  uint32_t first_timer_ = kNone;
  uint32_t last_timer_ = kNone;
};

CardModel::CardModel(const Profile& profile, uint32_t queue_pairs, uint64_t seed, TimePoint start)
    : impl_(std::make_unique<Impl>(profile, queue_pairs, seed, start)) {}
CardModel::~CardModel() = default;

void CardModel::Arrive(TimePoint now, RequestId request, uint32_t queue_pair,
                       OperationKind operation, uint32_t size_bytes) {
  impl_->Arrive(now, {.request = request, .size_bytes = size_bytes, .operation = operation},
                queue_pair);
}

std::optional<TimePoint> CardModel::NextEvent() const { return impl_->NextEvent(); }
void CardModel::Advance(TimePoint now, std::vector<ModelEvent>& events) {
  impl_->Advance(now, events);
}
size_t CardModel::pending() const { return impl_->pending(); }
void CardModel::SetInterrupts(bool on) { impl_->SetInterrupts(on); }

}  // namespace hwsim
