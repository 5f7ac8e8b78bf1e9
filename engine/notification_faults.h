// NotificationFaults: the part of the card's fault plan that strikes when a job is
// told: its wait fd signalled too early, twice or never, its callback run at the worst moment.
//
// Threads: every method from any.
#ifndef GHOSTCARD_ENGINE_NOTIFICATION_FAULTS_H_
#define GHOSTCARD_ENGINE_NOTIFICATION_FAULTS_H_

#include <memory>
#include <optional>

#include "engine/operation.h"
#include "hwsim/card.h"
#include "hwsim/mutex.h"

namespace engine {

class NotificationFaults {
 public:
  // Null: the card's plan has none. `card` outlives it.
  static std::unique_ptr<NotificationFaults> Create(hwsim::Card& card);

  // What strikes, if anything does, and logs it. A job goes to wait for its completion, which it
  // will be told of by its wait fd:
  std::optional<hwsim::Fault> AtWait(const OperationState& operation, uint32_t queue_pair);
  // ... or by its callback:
  std::optional<hwsim::Fault> AtCallback(const OperationState& operation, uint32_t queue_pair);
  // A wait fd is about to be signalled for a completion.
  std::optional<hwsim::Fault> AtTell(const OperationState& operation, uint32_t queue_pair);

 private:
  explicit NotificationFaults(hwsim::Card& card);
  std::optional<hwsim::Fault> Strike(hwsim::FaultInjector& injector,
                                     const OperationState& operation, uint32_t queue_pair);

  hwsim::Card& card_;
  hwsim::Mutex mutex_;  // guards the injectors
  hwsim::FaultInjector wait_;
  hwsim::FaultInjector callback_;
  hwsim::FaultInjector tell_;
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_NOTIFICATION_FAULTS_H_
