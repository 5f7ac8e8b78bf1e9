// ReplayCommand: `ghostcard replay`, which shows one run from a log or a scenario file, event by
// event.
//
// Threads: the main thread.
#ifndef GHOSTCARD_TOOLS_CLI_REPLAY_COMMAND_H_
#define GHOSTCARD_TOOLS_CLI_REPLAY_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tools/scenario/scenario_options.h"
#include "tools/scenario/scenario_toml.h"
#include "tools/simulate/simulate.h"

namespace tools::cli {

inline constexpr int kExitNotAsExpected = 6;

class ReplayCommand {
 public:
  // Adds the arguments to the command line. `this` outlives the parse.
  void AddTo(CLI::App& app);
  // Runs the command and returns the exit code: one of simulate_command.h, or kExitNotAsExpected.
  int Run();

 private:
  // Makes `options`, which fail as `trial` says, smaller.
  static void MakeSmaller(const simulate::ScenarioTrial& trial, scenario::ScenarioOptions& options);
  // Whether the verdict is a failure. It is not when the run is stuck and `file` expects that.
  static bool Fails(const scenario::ScenarioFile& file, load::Notify notify,
                    simulate::Verdict verdict);
  // Runs the scenario once with each notification of `file` and returns a line for each expectation
  // that was not met. Requires: no run of `file` fails.
  static hwsim::Expected<std::vector<std::string>> UnmetOf(const scenario::ScenarioFile& file);
  int Write(const scenario::ScenarioOptions& options, const simulate::ScenarioTrial& trial) const;

  std::string log_;
  std::string trace_;
  std::string gtest_;
  bool no_reduce_ = false;
};

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_REPLAY_COMMAND_H_
