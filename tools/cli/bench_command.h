// `ghostcard bench`: its arguments and what it prints.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_CLI_BENCH_COMMAND_H_
#define GHOSTCARD_TOOLS_CLI_BENCH_COMMAND_H_

#include <CLI/CLI.hpp>

#include "tools/bench/bench.h"
#include "tools/cli/common_arguments.h"
#include "tools/cli/tls_bench_arguments.h"

namespace tools::cli {

class BenchCommand {
 public:
  // Adds the arguments. `this` outlives the parse.
  void AddTo(CLI::App& app);
  // Runs; returns the program's exit code.
  int Run();

 private:
  int RunJobBench();
  void Print(const std::vector<bench::RunReport>& reports) const;

  CommonArguments common_;
  bench::BenchOptions options_;
  TlsBenchArguments tls_;
  const CLI::Option* completions_ = nullptr;
};

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_BENCH_COMMAND_H_
