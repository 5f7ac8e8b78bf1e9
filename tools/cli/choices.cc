#include "tools/cli/choices.h"

#include "hwsim/base/parse_number.h"

namespace tools::cli {

using hwsim::operations::OperationKind;

Choices<OperationKind> OperationChoices() {
  Choices<OperationKind> choices = ChoicesOf<OperationKind>();
  std::erase_if(choices, [](const auto& choice) { return choice.second == OperationKind::kOther; });
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
