#include "hwsim/model/service_units.h"

#include <bit>

namespace hwsim::model {

ServiceUnits::ServiceUnits(const Profile& profile, uint32_t queue_pairs, Random latencies)
    : operations_(profile.operations),
      transit_(profile.transit),
      transit_floor_(profile.transit.Floor()),
      units_(profile.service_units),
      latencies_(latencies),
      units_free_(profile.service_units),
      waiting_(queue_pairs) {
  for (size_t i = 0; i < operations::kOperationKindCount; ++i) {
    caps_[i] = RateCap(profile.operations[i].rate_per_s_max);
  }
}

void ServiceUnits::Dispatch(TimePoint now) {
  while (UnitIsFree(now)) {
    RingQueue<Turn>* turns = NextTurns(now);
    if (turns == nullptr) return;
    const Turn turn = turns->pop();
    RingQueue<Waiting>& waiting = waiting_[turn.queue_pair];
    const auto kind = static_cast<size_t>(waiting.front().operation);
    if (turns != &turns_) {
      if (turns->empty()) capped_kinds_ &= ~(1u << kind);
    } else if (caps_[kind].capped() && caps_[kind].next() > now) {
      capped_turns_[kind].push(turn);
      capped_kinds_ |= 1u << kind;
      continue;
    }
    const Waiting request = waiting.pop();
    if (!waiting.empty()) {
      turns_.push({.ticket = tickets_++, .queue_pair = turn.queue_pair});
    }
    StartService(now, request, turn.queue_pair);
  }
}

RingQueue<ServiceUnits::Turn>* ServiceUnits::NextTurns(TimePoint now) {
  RingQueue<Turn>* next = turns_.empty() ? nullptr : &turns_;
  for (uint32_t kinds = capped_kinds_; kinds != 0; kinds &= kinds - 1) {
    const int kind = std::countr_zero(kinds);
    RingQueue<Turn>& turns = capped_turns_[kind];
    if (caps_[kind].next() > now) continue;
    if (next == nullptr || turns.front().ticket < next->front().ticket) next = &turns;
  }
  return next;
}

void ServiceUnits::StartService(TimePoint now, const Waiting& request, uint32_t queue_pair) {
  const auto kind = static_cast<size_t>(request.operation);
  if (caps_[kind].capped()) caps_[kind].Start(now);
  Duration service = operations_[kind].service.Draw(latencies_, request.size_bytes);
  const Duration transit = transit_.Draw(latencies_, request.size_bytes);
  if (slowness_ != nullptr) service = slowness_->ServiceTime(service, request.arrival, now);
  if (service != Duration::zero()) {
    --units_free_;
    busy_.push({now + service});
  }
  responses_.push({.time = now + service + transit,
                   .rank = request.arrival,
                   .request = request.request,
                   .service_start = now,
                   .queue_pair = queue_pair,
                   .operation = request.operation});
}

}  // namespace hwsim::model
