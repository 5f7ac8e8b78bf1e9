#include "engine/run_options.h"

#include <array>

namespace engine {

std::string_view OutcomeName(Outcome outcome) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "ok", "failed", "device_error", "refused", "timed_out", "cancelled", "busy"};
  return kNames[static_cast<size_t>(outcome)];
}

std::string_view RetryPolicyName(RetryPolicy policy) {
  return policy == RetryPolicy::kWhenSpace ? "when_space" : "immediate";
}

}  // namespace engine
