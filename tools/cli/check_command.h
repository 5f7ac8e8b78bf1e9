// `ghostcard check`: its arguments and what it prints.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_CLI_CHECK_COMMAND_H_
#define GHOSTCARD_TOOLS_CLI_CHECK_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>

#include "tools/check/check.h"

namespace tools::cli {

class CheckCommand {
 public:
  // When the command line is one of check: takes everything from the first `--` on off the
  // arguments. What follows `--` is the program to check with its arguments, which are not parsed.
  void TakeProgram(int& argc, char** argv);
  // Adds the arguments. `this` outlives the parse.
  void AddTo(CLI::App& app);
  // Runs; returns the program's exit code: see CheckExitCode.
  int Run();

 private:
  check::CheckOptions options_;
  std::string json_;
  double callback_bound_ms_ = 10;
};

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_CHECK_COMMAND_H_
