// SimulateCommand: `ghostcard simulate`, its arguments and its output.
//
// Threads: the main thread.
#ifndef GHOSTCARD_TOOLS_CLI_SIMULATE_COMMAND_H_
#define GHOSTCARD_TOOLS_CLI_SIMULATE_COMMAND_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "tools/simulate/simulate.h"

namespace tools::cli {

class SimulateCommand {
 public:
  // Adds the arguments to the command line. `this` outlives the parse.
  void AddTo(CLI::App& app);
  // Runs the command and returns the exit code. Throws CLI::ValidationError for arguments that
  // cannot be checked while they are parsed.
  int Run();

 private:
  int RunOne(uint64_t seed);
  int RunMany();
  int Report(const hwsim::Expected<simulate::SimulateReport>& report, bool many) const;

  std::string seed_;
  std::string seeds_ = "1..1000";
  std::string shard_;
  simulate::SimulateOptions options_;
};

// Exit codes besides those of exit_codes.h. 0: every seed is good.
inline constexpr int kExitBrokenInvariant = 3;
inline constexpr int kExitNoProgress = 4;
inline constexpr int kExitCrash = 5;
int ExitCodeOf(simulate::Verdict verdict);

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_SIMULATE_COMMAND_H_
