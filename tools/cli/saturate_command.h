// `ghostcard saturate`: its arguments and what it prints.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_CLI_SATURATE_COMMAND_H_
#define GHOSTCARD_TOOLS_CLI_SATURATE_COMMAND_H_

#include <CLI/CLI.hpp>

#include "tools/bench/saturate.h"
#include "tools/cli/common_arguments.h"

namespace tools::cli {

class SaturateCommand {
 public:
  // Adds the arguments. `this` outlives the parse.
  void AddTo(CLI::App& app);
  // Runs; returns the program's exit code: kExitFailed also when a request was lost, completed
  // twice or failed.
  int Run();

 private:
  hwsim::Expected<void> Resolve();
  // Prints the reports and writes the JSON.
  int Report(const std::vector<bench::SaturateReport>& reports) const;

  CommonArguments common_;
  bench::SaturateOptions options_;
  const CLI::Option* requests_ = nullptr;
};

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_SATURATE_COMMAND_H_
