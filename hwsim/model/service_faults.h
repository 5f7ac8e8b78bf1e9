// ServiceFaults: services that take longer because of a fault: throttled, slow_instance, wake_up.
//
// Threads: one at a time, the caller of the model. Time: the card's own (card_time.h).
#ifndef GHOSTCARD_HWSIM_MODEL_SERVICE_FAULTS_H_
#define GHOSTCARD_HWSIM_MODEL_SERVICE_FAULTS_H_

#include <cstdint>

#include "hwsim/model/fault_context.h"
#include "hwsim/model/service_units.h"

namespace hwsim::model {

class ServiceFaults final : public ServiceUnits::Slowness {
 public:
  // `context` outlives this.
  explicit ServiceFaults(const FaultContext& context) : context_(context) {}

  // Services that start before `until` take `factor` times as long. Replaces an earlier throttle.
  void Throttle(TimePoint until, double factor) {
    throttled_until_ = until;
    throttle_factor_ = factor;
  }
  void EndThrottle() { throttled_until_ = {}; }

  Duration ServiceTime(Duration usual, uint64_t arrival, TimePoint start) override;

 private:
  const FaultContext& context_;
  TimePoint throttled_until_{};
  double throttle_factor_ = 1;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_SERVICE_FAULTS_H_
