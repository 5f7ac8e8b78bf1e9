// `ghostcard replay`: one run, from a log or a scenario file, step by step.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_REPLAY_COMMAND_H_
#define GHOSTCARD_TOOLS_REPLAY_COMMAND_H_

#include <CLI/CLI.hpp>
#include <string>

#include "tools/scenario.h"
#include "tools/simulate.h"

namespace tools {

class ReplayCommand {
 public:
  // Adds the arguments. `this` outlives the parse.
  void AddTo(CLI::App& app);
  // Runs; the program's exit code, which is simulate's (simulate_command.h).
  int Run();

 private:
  // Makes `options` smaller, if it fails and may be made so.
  void MaybeReduce(const ScenarioTrial& trial, ScenarioOptions& options) const;
  int Write(const ScenarioOptions& options, const ScenarioTrial& trial) const;

  std::string log_;
  std::string trace_;
  std::string gtest_;
  bool no_reduce_ = false;
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_REPLAY_COMMAND_H_
