// `ghostcard simulate`: its arguments and what it prints.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_SIMULATE_COMMAND_H_
#define GHOSTCARD_TOOLS_SIMULATE_COMMAND_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "tools/simulate.h"

namespace tools {

class SimulateCommand {
 public:
  // Adds the arguments. `this` outlives the parse.
  void AddTo(CLI::App& app);
  // Runs; the program's exit code. Bad arguments that only show here are thrown as
  // CLI::ValidationError.
  int Run();

 private:
  int RunOne(uint64_t seed);
  int RunMany();
  int Report(const hwsim::Expected<SimulateReport>& report, bool many) const;

  std::string seed_;
  std::string seeds_ = "1..1000";
  std::string shard_;
  SimulateOptions options_;
};

// The exit codes beside 0, all is well.
inline constexpr int kExitCouldNotRun = 1;
inline constexpr int kExitBrokenInvariant = 3;
inline constexpr int kExitNoProgress = 4;
inline constexpr int kExitCrash = 5;
int ExitCodeOf(Verdict verdict);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SIMULATE_COMMAND_H_
