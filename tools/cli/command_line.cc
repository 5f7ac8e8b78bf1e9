#include "tools/cli/command_line.h"

#include <fmt/format.h>

#include <cstdio>
#include <system_error>

#include "tools/cli/exit_codes.h"

namespace tools::cli {

CommandLine::CommandLine()
    : app_("Ghostcard: a simulated crypto accelerator card, for tests.", "ghostcard") {
  app_.require_subcommand(1);
  app_.set_version_flag("--version", kVersion, "Print the version and exit");
  app_.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("ghostcard: {}\nTry --help.\n", error.what());
  });
}

int CommandLine::ParseAndRun(int argc, char** argv) {
  if (argc > 1 && argv[1][0] != '-') {
    bool known = false;
    std::string names;
    for (const auto& [app, run] : commands_) {
      known = known || app->get_name() == argv[1];
      names += (names.empty() ? "" : ", ") + app->get_name();
    }
    if (!known) {
      return Fail(kExitBadArguments, fmt::format("'{}' given; allowed: {}", argv[1], names));
    }
  }
  try {
    app_.parse(argc, argv);
    for (const auto& [app, run] : commands_) {
      if (app->parsed()) return run();
    }
  } catch (const CLI::ParseError& error) {
    return app_.exit(error) == 0 ? 0 : kExitBadArguments;
  }
  return kExitBadArguments;  // not reached: the parse demands a command
}

int CommandLine::Run(int argc, char** argv) {
  int code = 0;
  try {
    code = ParseAndRun(argc, argv);
  } catch (const std::system_error& error) {  // from fmt, when it cannot write
    return Fail(kExitFailed, error.what());
  }
  if (std::fflush(stdout) != 0) return Fail(kExitFailed, "standard output cannot be written");
  return code;
}

}  // namespace tools::cli
