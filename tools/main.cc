// ghostcard: registers the commands of the program.
#include "tools/cli/bench_command.h"
#include "tools/cli/check_command.h"
#include "tools/cli/command_line.h"
#include "tools/cli/replay_command.h"
#include "tools/cli/saturate_command.h"
#include "tools/cli/simulate_command.h"

int main(int argc, char** argv) {
  tools::cli::BenchCommand bench;
  tools::cli::SaturateCommand saturate;
  tools::cli::CheckCommand check;
  tools::cli::SimulateCommand simulate;
  tools::cli::ReplayCommand replay;
  tools::cli::CommandLine line;
  line.Register(
      "bench", "Compare fd and callback notification, and interrupt, polling and inline completion",
      bench);
  line.Register("saturate", "Run more jobs than a queue pair has slots, and see which get through",
                saturate);
  line.Register("check",
                "Run a program of yours, and report where it breaks the rules of OpenSSL's async "
                "jobs",
                check);
  line.Register("simulate",
                "Run jobs, engine and card under a virtual clock, with faults drawn from seeds",
                simulate);
  line.Register("replay",
                "Show one run of simulate step by step; a run that fails is reduced first", replay);
  check.TakeProgram(argc, argv);
  return line.Run(argc, argv);
}
