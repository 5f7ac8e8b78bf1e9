// `ghostcard simulate` by itself, for a bug to be linked in.
#include "tools/cli/simulate_command.h"

int main(int argc, char** argv) {
  CLI::App app("Simulated runs with a bug planted");
  tools::cli::SimulateCommand command;
  command.AddTo(app);
  CLI11_PARSE(app, argc, argv);
  return command.Run();
}
