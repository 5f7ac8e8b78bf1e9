// CardServer: the engines of a card, and the queues before them: the part of the
// model (card_model.h) from a request's arrival to its response.
//
// Threads: none; whoever drives it. Time: the card's own, which never runs backwards and may stand
// still while the world's goes on.
#ifndef GHOSTCARD_HWSIM_MODEL_CARD_SERVER_H_
#define GHOSTCARD_HWSIM_MODEL_CARD_SERVER_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "hwsim/model/card_model.h"
#include "hwsim/model/latency_model.h"
#include "hwsim/model/profile.h"
#include "hwsim/model/time_queue.h"

namespace hwsim {

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

class CardServer {
 public:
  static constexpr TimePoint kNever = TimePoint::max();

  struct Waiting {
    RequestId request = 0;
    uint64_t arrival = 0;  // counts arrivals
    uint32_t size_bytes = 0;
    OperationKind operation = OperationKind::kNull;
  };
  struct Completion {
    TimePoint time{};
    uint64_t rank = 0;  // its arrival
    RequestId request = 0;
    TimePoint service_start{};
    uint32_t queue_pair = 0;
    OperationKind operation = OperationKind::kNull;
  };
  // Makes services longer. Never shorter.
  class Slowness {
   public:
    virtual ~Slowness() = default;
    virtual Duration ServiceTime(Duration usual, uint64_t arrival, TimePoint start) = 0;
  };

  CardServer(const Profile& profile, uint32_t queue_pairs, Random latencies)
      : operations_(profile.operations),
        transit_(profile.transit),
        transit_floor_(profile.transit.Floor()),
        engines_(profile.engines),
        latencies_(latencies),
        engines_free_(profile.engines),
        waiting_(queue_pairs) {
    for (size_t i = 0; i < kOperationKindCount; ++i) {
      caps_[i] = RateCap(profile.operations[i].rate_per_s_max);
    }
  }
  // Null: none. Outlives the server, or is taken away.
  void set_slowness(Slowness* slowness) { slowness_ = slowness; }

  void Arrive(TimePoint now, const Waiting& request, uint32_t index) {
    RunStarts(now);
    RingQueue<Waiting>& waiting = waiting_[index];
    const bool capped = caps_[static_cast<size_t>(request.operation)].capped();
    if (!capped && waiting.empty() && EngineIsFree(now)) {
      StartService(now, request, index);
      return;
    }
    const bool has_turn = !waiting.empty();
    waiting.push(request);
    if (has_turn) return;
    turns_.push({.ticket = tickets_++, .queue_pair = index});
    if (EngineIsFree(now)) Dispatch(now);
  }

  void RunStarts(TimePoint now) {
    for (TimePoint start = NextStart(); start <= now; start = NextStart()) Dispatch(start);
  }

  // When the next response leaves; kNever: none is known of yet.
  TimePoint NextDue() const { return due_.next(); }
  // Before this none leaves; kNever: not before another arrival. May be early.
  TimePoint NextEvent() const {
    const TimePoint start = NextStart();
    return start == kNever ? NextDue() : std::min(NextDue(), start + transit_floor_);
  }
  // Requires: NextDue() is not kNever, and RunStarts has come as far.
  Completion Pop() { return due_.pop(); }

  // Gives everything up, wherever it is, to take(Completion), in no order.
  template <typename Take>
  void Clear(Take take) {
    while (!due_.empty()) take(due_.pop());
    for (uint32_t index = 0; index < waiting_.size(); ++index) {
      while (!waiting_[index].empty()) {
        const Waiting request = waiting_[index].pop();
        take(Completion{.rank = request.arrival,
                        .request = request.request,
                        .service_start = kNever,
                        .queue_pair = index,
                        .operation = request.operation});
      }
    }
    due_ = {};
    busy_ = {};
    engines_free_ = engines_;
    turns_ = {};
    lines_kept_back_ = {};
    kept_back_ = 0;
  }

 private:
  struct EngineFree {
    TimePoint time{};
    // Engines are alike. NOLINTNEXTLINE(readability-identifier-naming): as TimeQueue wants it
    static constexpr uint64_t rank = 0;
  };
  // A queue pair's place in the round robin: the lowest ticket that can start does.
  struct Turn {
    uint64_t ticket = 0;
    uint32_t queue_pair = 0;
  };

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

  // Starts as many of the waiting as there are engines free at `now`.
  void Dispatch(TimePoint now) {
    while (EngineIsFree(now)) {
      RingQueue<Turn>* line = NextLine(now);
      if (line == nullptr) return;
      const Turn turn = line->pop();
      RingQueue<Waiting>& waiting = waiting_[turn.queue_pair];
      const auto kind = static_cast<size_t>(waiting.front().operation);
      if (line != &turns_) {
        if (line->empty()) kept_back_ &= ~(1u << kind);
      } else if (caps_[kind].capped() && caps_[kind].next() > now) {
        lines_kept_back_[kind].push(turn);
        kept_back_ |= 1u << kind;
        continue;
      }
      const Waiting request = waiting.pop();
      if (!waiting.empty()) {
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
    Duration service = operations_[kind].service.Draw(latencies_, request.size_bytes);
    const Duration transit = transit_.Draw(latencies_, request.size_bytes);
    if (slowness_ != nullptr) service = slowness_->ServiceTime(service, request.arrival, now);
    if (service != Duration::zero()) {
      --engines_free_;
      busy_.push({now + service});
    }
    due_.push({.time = now + service + transit,
               .rank = request.arrival,
               .request = request.request,
               .service_start = now,
               .queue_pair = queue_pair,
               .operation = request.operation});
  }

  const std::array<OperationCost, kOperationKindCount> operations_;
  const LatencyModel transit_;
  const Duration transit_floor_;
  const uint32_t engines_;
  Random latencies_;
  Slowness* slowness_ = nullptr;

  // Engines: those free, and those last seen busy with the times when they become free. Looked
  // through only when none is free.
  uint32_t engines_free_;
  TimeQueue<EngineFree> busy_;

  // A queue pair with somebody waiting is in exactly one of these lines, each in order of tickets.
  std::vector<RingQueue<Waiting>> waiting_;  // by queue pair
  RingQueue<Turn> turns_;
  std::array<RingQueue<Turn>, kOperationKindCount> lines_kept_back_;  // first waits for its cap
  uint32_t kept_back_ = 0;                                            // bit k: line k is not empty
  uint64_t tickets_ = 0;
  std::array<RateCap, kOperationKindCount> caps_;

  TimeQueue<Completion> due_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_CARD_SERVER_H_
