#include "tools/cli/choices.h"

#include <cstddef>

#include "hwsim/base/parse_number.h"

namespace tools::cli {

using engine::RetryPolicy;
using hwsim::completion::CompletionMode;
using hwsim::operations::OperationKind;

Choices<CompletionMode> CompletionChoices() {
  return ChoicesOf({CompletionMode::kInterrupt, CompletionMode::kPolling, CompletionMode::kInline},
                   &hwsim::completion::CompletionModeName);
}

Choices<load::Notify> NotifyChoices() { return ChoicesOf<load::Notify>(); }

Choices<hwsim::rings::TransportKind> TransportChoices() {
  return ChoicesOf<hwsim::rings::TransportKind>();
}

Choices<RetryPolicy> RetryChoices() {
  return ChoicesOf({RetryPolicy::kWhenSpace, RetryPolicy::kImmediate}, &engine::RetryPolicyName);
}

Choices<OperationKind> OperationChoices() {
  Choices<OperationKind> choices;
  for (size_t i = 0; i < hwsim::operations::kOperationKindCount; ++i) {
    const auto kind = static_cast<OperationKind>(i);
    if (kind != OperationKind::kOther)
      choices.emplace(hwsim::operations::OperationName(kind), kind);
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

}  // namespace tools::cli
