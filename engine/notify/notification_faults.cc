#include "engine/notify/notification_faults.h"

namespace engine::notify {

using hwsim::MutexLock;
using hwsim::faults::Fault;
using hwsim::faults::FaultInjector;
using hwsim::faults::FaultSite;

NotificationFaults::NotificationFaults(hwsim::card::Card& card)
    : card_(card),
      wait_(card.FaultsAt(FaultSite::kWait)),
      callback_(card.FaultsAt(FaultSite::kCallback)),
      tell_(card.FaultsAt(FaultSite::kTell)) {}

std::unique_ptr<NotificationFaults> NotificationFaults::Create(hwsim::card::Card& card) {
  std::unique_ptr<NotificationFaults> faults(new NotificationFaults(card));
  const bool none = faults->wait_.empty() && faults->callback_.empty() && faults->tell_.empty();
  return none ? nullptr : std::move(faults);
}

std::optional<Fault> NotificationFaults::Strike(FaultInjector& injector,
                                                const OperationState& operation,
                                                uint32_t queue_pair) {
  if (injector.empty()) return std::nullopt;
  const hwsim::TimePoint now = card_.clock().Now();
  std::optional<Fault> fault;
  {
    const MutexLock lock(mutex_);
    fault = injector.At({.operation = operation.kind,
                         .queue_pair = queue_pair,
                         .in_flight = card_.queue_pairs()[queue_pair]->in_flight(),
                         .now = now});
  }
  if (fault) {
    card_.fault_log().Append({.kind = fault->kind,
                              .rule = fault->rule,
                              .at = now,
                              .queue_pair = queue_pair,
                              .request = operation.number,
                              .operation = operation.kind});
  }
  return fault;
}

std::optional<Fault> NotificationFaults::AtWait(const OperationState& operation,
                                                uint32_t queue_pair) {
  return Strike(wait_, operation, queue_pair);
}
std::optional<Fault> NotificationFaults::AtCallback(const OperationState& operation,
                                                    uint32_t queue_pair) {
  return Strike(callback_, operation, queue_pair);
}
std::optional<Fault> NotificationFaults::AtTell(const OperationState& operation,
                                                uint32_t queue_pair) {
  return Strike(tell_, operation, queue_pair);
}

}  // namespace engine::notify
