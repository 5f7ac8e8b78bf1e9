// The exit codes that all commands share, and how a command fails. check, simulate and replay have
// more exit codes: see CheckExitCode, simulate_command.h and replay_command.h.
#ifndef GHOSTCARD_TOOLS_CLI_EXIT_CODES_H_
#define GHOSTCARD_TOOLS_CLI_EXIT_CODES_H_

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace tools::cli {

inline constexpr int kExitFailed = 1;  // it could not be run, or a check of the results failed
inline constexpr int kExitBadArguments = 2;

inline constexpr const char* kVersion = "ghostcard 0.1.0";

// Prints `message` to standard error and returns `code`.
inline int Fail(int code, const std::string& message) {
  fmt::print(stderr, "ghostcard: {}\n", message);
  return code;
}

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_EXIT_CODES_H_
