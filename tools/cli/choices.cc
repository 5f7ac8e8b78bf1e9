#include "tools/cli/choices.h"

#include <cstddef>

#include "hwsim/base/parse_number.h"

namespace tools {

using engine::RetryPolicy;
using hwsim::CompletionMode;
using hwsim::OperationKind;

Choices<CompletionMode> CompletionChoices() {
  return ChoicesOf({CompletionMode::kInterrupt, CompletionMode::kPolling, CompletionMode::kInline},
                   &hwsim::CompletionModeName);
}

Choices<Notify> NotifyChoices() { return ChoicesOf<Notify>(); }

Choices<hwsim::TransportKind> TransportChoices() { return ChoicesOf<hwsim::TransportKind>(); }

Choices<RetryPolicy> RetryChoices() {
  return ChoicesOf({RetryPolicy::kWhenSpace, RetryPolicy::kImmediate}, &engine::RetryPolicyName);
}

Choices<OperationKind> OperationChoices() {
  Choices<OperationKind> choices;
  for (size_t i = 0; i < hwsim::kOperationKindCount; ++i) {
    const auto kind = static_cast<OperationKind>(i);
    if (kind != OperationKind::kOther) choices.emplace(hwsim::OperationName(kind), kind);
  }
  return choices;
}

Choices<bool> WorkChoices() { return {{"real", true}, {"none", false}}; }

CLI::Validator WholeNumber() {
  const auto check = [](const std::string& text) {
    return hwsim::ParseNumber(text) ? ""
                                    : "'" + text + "' given; allowed: a whole number below 2^64";
  };
  return {check, "UINT"};
}

}  // namespace tools
