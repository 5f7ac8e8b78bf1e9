#include "hwsim/model/service_faults.h"

#include <algorithm>

namespace hwsim::model {

namespace {

// At most an hour, as a draw of the latency model.
Duration Times(Duration time, double factor) {
  const double ns = static_cast<double>(time.count()) * factor;
  const auto most = static_cast<double>(Duration(std::chrono::hours(1)).count());
  return Duration(static_cast<int64_t>(std::min(ns, most)));
}

}  // namespace

Duration ServiceFaults::ServiceTime(Duration usual, uint64_t arrival, TimePoint start) {
  if (start < throttled_until_) usual = Times(usual, throttle_factor_);
  const auto found = context_.of_requests.find(arrival);
  if (found == context_.of_requests.end()) return usual;
  const faults::Fault& fault = found->second;
  if (fault.kind == faults::FaultKind::kSlowInstance) return Times(usual, fault.factor);
  if (fault.kind == faults::FaultKind::kWakeUp) return usual + fault.time;
  return usual;
}

}  // namespace hwsim::model
