// NotificationFaults: the faults of the card's plan that strike when an owner is told: a wait fd
// signalled too early, twice or never, a callback run at the worst moment.
//
// Threads: every method from any.
#ifndef GHOSTCARD_ENGINE_NOTIFY_NOTIFICATION_FAULTS_H_
#define GHOSTCARD_ENGINE_NOTIFY_NOTIFICATION_FAULTS_H_

#include <memory>
#include <optional>

#include "engine/operation_state.h"
#include "hwsim/base/mutex.h"
#include "hwsim/card/card.h"

namespace engine::notify {

class NotificationFaults {
 public:
  // Null: the card's plan has no such fault. Requires: `card` outlives it.
  static std::unique_ptr<NotificationFaults> Create(hwsim::card::Card& card);

  // Each returns the fault that strikes, if one does, and logs it.
  // A job goes to wait for a completion that its wait fd announces.
  std::optional<hwsim::faults::Fault> AtWait(const OperationState& operation, uint32_t queue_pair);
  // A job goes to wait for a completion that its callback announces.
  std::optional<hwsim::faults::Fault> AtCallback(const OperationState& operation,
                                                 uint32_t queue_pair);
  // A wait fd is about to be signalled for a completion.
  std::optional<hwsim::faults::Fault> AtTell(const OperationState& operation, uint32_t queue_pair);

 private:
  explicit NotificationFaults(hwsim::card::Card& card);
  std::optional<hwsim::faults::Fault> Strike(hwsim::faults::FaultInjector& injector,
                                             const OperationState& operation, uint32_t queue_pair);

  hwsim::card::Card& card_;
  hwsim::Mutex mutex_;  // guards the injectors
  hwsim::faults::FaultInjector wait_;
  hwsim::faults::FaultInjector callback_;
  hwsim::faults::FaultInjector tell_;
};

}  // namespace engine::notify

#endif  // GHOSTCARD_ENGINE_NOTIFY_NOTIFICATION_FAULTS_H_
