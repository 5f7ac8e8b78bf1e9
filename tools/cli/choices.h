// Choices: options whose values have names, and the checks and messages for them.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_CLI_CHOICES_H_
#define GHOSTCARD_TOOLS_CLI_CHOICES_H_

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hwsim/base/enum_names.h"
#include "hwsim/operations/request.h"

namespace tools::cli {

// Values by name. Help texts and messages list the names in alphabetical order.
template <typename T>
using Choices = std::map<std::string, T>;

// All values of an enumeration that has EnumNames.
template <typename T>
Choices<T> ChoicesOf() {
  Choices<T> choices;
  for (const auto& entry : hwsim::EnumNames<T>::kEntries) choices.emplace(entry.name, entry.value);
  return choices;
}

Choices<hwsim::operations::OperationKind> OperationChoices();  // without kOther
Choices<bool> WorkChoices();  // "real", "none": whether operations execute

// Accepts whole numbers below 2^64. CLI11 itself takes "-1" for the largest number.
CLI::Validator WholeNumber();

// "a, b, c"
template <typename T>
std::string ListedNames(const Choices<T>& choices) {
  std::string names;
  for (const auto& [name, value] : choices) names += (names.empty() ? "" : ", ") + name;
  return names;
}

// The value named `name`. Throws CLI::ValidationError, which names `flag` and what is allowed.
template <typename T>
T ChosenValue(const std::string& flag, const std::string& name, const Choices<T>& choices) {
  const auto found = choices.find(name);
  if (found == choices.end()) {
    throw CLI::ValidationError(flag, "'" + name + "' given; allowed: " + ListedNames(choices));
  }
  return found->second;
}

// Adds an option that takes one of `choices`. `value` outlives the parse.
template <typename T>
void AddChoice(CLI::App& app, const std::string& flag, T& value, const Choices<T>& choices,
               const std::string& help) {
  app.add_option_function<std::string>(
         flag,
         [&value, choices, flag](const std::string& name) {
           value = ChosenValue(flag, name, choices);
         },
         help + ". One of: " + ListedNames(choices))
      ->type_name("NAME");
}

// Adds an option that takes some of `choices`, separated by commas. `values` outlives the parse.
template <typename T>
CLI::Option* AddChoices(CLI::App& app, const std::string& flag, std::vector<T>& values,
                        const Choices<T>& choices, const std::string& help) {
  return app
      .add_option_function<std::vector<std::string>>(
          flag,
          [&values, choices, flag](const std::vector<std::string>& names) {
            values.clear();
            for (const std::string& name : names) {
              values.push_back(ChosenValue(flag, name, choices));
            }
          },
          help + ". Some of, separated by commas: " + ListedNames(choices))
      ->delimiter(',')
      ->type_name("NAMES");
}

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_CHOICES_H_
