#include "hwsim/model/interrupt_faults.h"

#include <algorithm>
#include <optional>

namespace hwsim::model {

bool InterruptFaults::RisesNow(uint32_t queue_pair, TimePoint card) {
  if (card < coalesced_until_[queue_pair]) return false;  // one interrupt at the end serves for all
  if (injector_.empty()) return true;
  const HostInterface& host = context_.host;
  const TimePoint world = context_.time.ToWorld(card);
  const std::optional<faults::Fault> fault =
      injector_.At({.operation = host.last_operation(queue_pair),
                    .queue_pair = queue_pair,
                    .in_flight = host.on_card(queue_pair),
                    .now = world});
  if (!fault) return true;
  context_.Log(world, *fault, kNoRequest, queue_pair);
  switch (fault->kind) {
    case faults::FaultKind::kInterruptLost:
      return false;
    case faults::FaultKind::kInterruptLate:
      RaiseLater(queue_pair, card + fault->time);
      return false;
    case faults::FaultKind::kInterruptCoalesced:
      coalesced_until_[queue_pair] = card + fault->time;
      RaiseLater(queue_pair, card + fault->time);
      return false;
    case faults::FaultKind::kInterruptDuplicated:
      for (uint32_t i = 1; i <= fault->times; ++i) RaiseLater(queue_pair, card + i * fault->time);
      return true;
    default:
      return true;
  }
}

void InterruptFaults::EndCoalescing() { std::ranges::fill(coalesced_until_, TimePoint{}); }

}  // namespace hwsim::model
