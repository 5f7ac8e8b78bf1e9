// ServiceUnits: the parallel service units of a card and the queues before them. This is the part
// of the model from a request's arrival to its response.
//
//   Arrive -> waits in the FIFO of its queue pair; the queue pairs take turns
//          -> occupies a service unit for its service time
//          -> is in transit, which occupies no unit -> Pop, in order of time; ties in order of
//             arrival
//
// A request delayed by its operation's rate cap keeps its turn, occupies no service unit, and does
// not block other queue pairs.
//
// Threads: one at a time, the caller of the model. Time: the card's own (card_time.h), which never
// runs backwards. Limits: allocates nothing once its queues have grown to the size that is needed.
#ifndef GHOSTCARD_HWSIM_MODEL_SERVICE_UNITS_H_
#define GHOSTCARD_HWSIM_MODEL_SERVICE_UNITS_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "hwsim/base/random.h"
#include "hwsim/model/latency_model.h"
#include "hwsim/model/model_event.h"
#include "hwsim/model/profile.h"
#include "hwsim/model/rate_cap.h"
#include "hwsim/model/time_queue.h"

namespace hwsim::model {

class ServiceUnits {
 public:
  static constexpr TimePoint kNever = TimePoint::max();

  // A request that waits for a service unit.
  struct Waiting {
    RequestId request = 0;
    uint64_t arrival = 0;  // 0, 1, 2 ... over all requests of the card
    uint32_t size_bytes = 0;
    operations::OperationKind operation = operations::OperationKind::kNull;
  };
  // A request that has left its service unit.
  struct Response {
    TimePoint time{};
    uint64_t rank = 0;  // Waiting::arrival
    RequestId request = 0;
    TimePoint service_start{};
    uint32_t queue_pair = 0;
    operations::OperationKind operation = operations::OperationKind::kNull;
  };
  // Makes services longer, never shorter.
  class Slowness {
   public:
    virtual ~Slowness() = default;
    // The service time of the request that arrived as number `arrival` and is served from `start`.
    virtual Duration ServiceTime(Duration usual, uint64_t arrival, TimePoint start) = 0;
  };

  ServiceUnits(const Profile& profile, uint32_t queue_pairs, Random latencies);
  // nullptr: services take their usual time. `slowness` lives until it is replaced, or as long as
  // this.
  void set_slowness(Slowness* slowness) { slowness_ = slowness; }

  void Arrive(TimePoint now, const Waiting& request, uint32_t index) {
    RunStarts(now);
    RingQueue<Waiting>& waiting = waiting_[index];
    const bool capped = caps_[static_cast<size_t>(request.operation)].capped();
    if (!capped && waiting.empty() && UnitIsFree(now)) {
      StartService(now, request, index);
      return;
    }
    const bool has_turn = !waiting.empty();
    waiting.push(request);
    if (has_turn) return;
    turns_.push({.ticket = tickets_++, .queue_pair = index});
    if (UnitIsFree(now)) Dispatch(now);
  }

  // Starts every service that can start up to and at `now`.
  void RunStarts(TimePoint now) {
    for (TimePoint start = NextStart(); start <= now; start = NextStart()) Dispatch(start);
  }

  // When the next response leaves; kNever: no service has started.
  TimePoint NextResponse() const { return responses_.next(); }
  // No response leaves before this. It may be early while requests wait. kNever: no response leaves
  // before another request arrives.
  TimePoint NextEvent() const {
    const TimePoint start = NextStart();
    return start == kNever ? NextResponse() : std::min(NextResponse(), start + transit_floor_);
  }
  // Takes the next response. Requires: NextResponse() is not kNever, and RunStarts was called for
  // that time.
  Response Pop() { return responses_.pop(); }

  // Passes every request, waiting or served, to take(Response), in no particular order, and is
  // empty afterwards. A request whose service had not started has service_start == kNever.
  template <typename Take>
  void Clear(Take take) {
    while (!responses_.empty()) take(responses_.pop());
    for (uint32_t index = 0; index < waiting_.size(); ++index) {
      while (!waiting_[index].empty()) {
        const Waiting request = waiting_[index].pop();
        take(Response{.rank = request.arrival,
                      .request = request.request,
                      .service_start = kNever,
                      .queue_pair = index,
                      .operation = request.operation});
      }
    }
    responses_ = {};
    busy_ = {};
    units_free_ = units_;
    turns_ = {};
    capped_turns_ = {};
    capped_kinds_ = 0;
  }

 private:
  // When a busy unit becomes free.
  struct UnitFree {
    TimePoint time{};
    // Units are alike. NOLINTNEXTLINE(readability-identifier-naming): TimeQueue wants this name
    static constexpr uint64_t rank = 0;
  };
  // A queue pair's place in the round robin. The lowest ticket whose request may start is next.
  struct Turn {
    uint64_t ticket = 0;
    uint32_t queue_pair = 0;
  };

  bool UnitIsFree(TimePoint now) {
    while (units_free_ == 0 && busy_.next() <= now) {
      busy_.pop();
      ++units_free_;
    }
    return units_free_ > 0;
  }

  // When the next waiting request can start; kNever: none waits.
  TimePoint NextStart() const {
    if (turns_.empty() && capped_kinds_ == 0) return kNever;
    const TimePoint unit = units_free_ > 0 ? TimePoint{} : busy_.next();
    if (!turns_.empty()) return unit;
    TimePoint allowed = kNever;
    for (uint32_t kinds = capped_kinds_; kinds != 0; kinds &= kinds - 1) {
      allowed = std::min(allowed, caps_[std::countr_zero(kinds)].next());
    }
    return std::max(unit, allowed);
  }

  // Starts waiting requests on the units that are free at `now`.
  void Dispatch(TimePoint now);

  // The queue whose first turn is next: of turns_ and of the capped_turns_ whose cap allows a start
  // now, the one with the lowest ticket; nullptr: there is none.
  RingQueue<Turn>* NextTurns(TimePoint now);

  void StartService(TimePoint now, const Waiting& request, uint32_t queue_pair);

  const std::array<OperationCost, operations::kOperationKindCount> operations_;
  const LatencyModel transit_;
  const Duration transit_floor_;
  const uint32_t units_;
  Random latencies_;
  Slowness* slowness_ = nullptr;

  // busy_ is looked through only when units_free_ is 0, so units in it may be free already.
  uint32_t units_free_;
  TimeQueue<UnitFree> busy_;

  std::vector<RingQueue<Waiting>> waiting_;  // by queue pair
  // The turn of a queue pair with waiting requests is in exactly one of these queues, each in order
  // of tickets: in capped_turns_[k] while the cap of operation k delays its first request.
  RingQueue<Turn> turns_;
  std::array<RingQueue<Turn>, operations::kOperationKindCount> capped_turns_;
  uint32_t capped_kinds_ = 0;  // bit k: capped_turns_[k] is not empty
  uint64_t tickets_ = 0;
  std::array<RateCap, operations::kOperationKindCount> caps_;

  TimeQueue<Response> responses_;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_SERVICE_UNITS_H_
