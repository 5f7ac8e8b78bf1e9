// CommonArguments: what bench and saturate have in common: the arguments that describe the card,
// the heading of the output, and the JSON file.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_CLI_COMMON_ARGUMENTS_H_
#define GHOSTCARD_TOOLS_CLI_COMMON_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "hwsim/base/error.h"
#include "tools/load/card_options.h"

namespace tools::cli {

inline constexpr uint64_t kRequestsMax = 1'000'000'000'000;
inline constexpr uint32_t kInputBytesMax = 64u << 20;

struct CommonArguments {
  load::CardOptions card;  // complete after Resolve
  std::string profile;
  std::string config;
  std::string json;
  double poll_interval_us = 10;

  // Adds the arguments. `this` outlives the parse.
  void AddTo(CLI::App& app, const std::string& default_profile);

  // After the parse: loads the profile into `card`, and checks what can be checked before the runs,
  // which may take long. Fails with what is wrong with the arguments.
  hwsim::Expected<void> Resolve();

  // Where the text for people goes: standard error when JSON goes to standard output.
  std::FILE* text() const { return json == "-" ? stderr : stdout; }

  // Prints what runs, on which card and machine. `load` is one line about the load.
  void PrintHeading(const std::string& command, const std::string& load) const;

  // Writes `results` if the arguments ask for it. Fails with what went wrong.
  hwsim::Expected<void> MaybeWriteJson(const nlohmann::json& results) const;
};

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_COMMON_ARGUMENTS_H_
