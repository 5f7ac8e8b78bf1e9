// CommandLine: the program's commands, and what holds for each of them: the choice of the command,
// --help, --version, errors and exit codes.
//
// Threads: the program's main one. Ownership: commands belong to the caller and outlive Run.
#ifndef GHOSTCARD_TOOLS_CLI_COMMAND_LINE_H_
#define GHOSTCARD_TOOLS_CLI_COMMAND_LINE_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tools::cli {

class CommandLine {
 public:
  CommandLine();

  // Adds a command. It has AddTo(CLI::App&), which adds its arguments, and Run(), which returns the
  // exit code and may throw CLI::ValidationError for bad arguments.
  template <typename Command>
  void Register(const std::string& name, const std::string& description, Command& command) {
    CLI::App* const app = app_.add_subcommand(name, description);
    command.AddTo(*app);
    commands_.emplace_back(app, [&command] { return command.Run(); });
  }

  // Parses the arguments and runs the command that they name. Returns the exit code. Prints what is
  // wrong with the arguments.
  int Run(int argc, char** argv);

 private:
  int ParseAndRun(int argc, char** argv);

  CLI::App app_;
  std::vector<std::pair<CLI::App*, std::function<int()>>> commands_;  // in order of registration
};

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_COMMAND_LINE_H_
