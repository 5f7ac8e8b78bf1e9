// `ghostcard replay`: one run, from a log or a scenario file, step by step.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_REPLAY_COMMAND_H_
#define GHOSTCARD_TOOLS_REPLAY_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tools/scenario.h"
#include "tools/scenario_toml.h"
#include "tools/simulate.h"

namespace tools {

inline constexpr int kExitNotAsExpected = 6;

class ReplayCommand {
 public:
  // Adds the arguments. `this` outlives the parse.
  void AddTo(CLI::App& app);
  // Runs; the program's exit code: simulate's (simulate_command.h), or kExitNotAsExpected.
  int Run();

 private:
  // Makes `options`, which fail so, smaller.
  static void MakeSmaller(const ScenarioTrial& trial, ScenarioOptions& options);
  // Whether a run that ended so is one that fails. One that gets stuck may be expected to.
  static bool Fails(const ScenarioFile& file, Notify notify, Verdict verdict);
  // What is not as `file` expects, by each way to be told that it is for. Requires: no run of it
  // fails.
  static hwsim::Expected<std::vector<std::string>> UnmetOf(const ScenarioFile& file);
  int Write(const ScenarioOptions& options, const ScenarioTrial& trial) const;

  std::string log_;
  std::string trace_;
  std::string gtest_;
  bool no_reduce_ = false;
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_REPLAY_COMMAND_H_
