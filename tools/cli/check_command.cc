#include "tools/cli/check_command.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/check/check_rules.h"
#include "tools/cli/choices.h"
#include "tools/cli/exit_codes.h"
#include "tools/text/json_file.h"

namespace tools::cli {

namespace {

Choices<waitctx::check::Rule> RuleChoices() {
  Choices<waitctx::check::Rule> choices;
  for (const check::RuleText& text : check::RuleTexts()) choices.emplace(text.name, text.rule);
  return choices;
}

}  // namespace

void CheckCommand::TakeProgram(int& argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != "check") return;
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--") continue;
    options_.command.assign(argv + i + 1, argv + argc);
    argc = i;
    return;
  }
}

void CheckCommand::AddTo(CLI::App& app) {
  app.footer(
      "After -- the program and its arguments: ghostcard check -- PROGRAM ARGS\n"
      "Exit codes: 0 no findings; 1 findings; 2 bad arguments, or a program that cannot be "
      "checked; 126 the program could not be run; 127 it was not found; else the program's own "
      "exit code (128 + N after signal N; 3 instead of its 1 and 2).");
  AddChoices(app, "--ignore", options_.ignored, RuleChoices(), "Rules not to report");
  app.add_option("--callback-bound-ms", callback_bound_ms_,
                 "Milliseconds that a callback may run or block")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  app.add_option("--json", json_, "Write the findings to this file as JSON; -: standard output");
}

int CheckCommand::Run() {
  if (options_.command.empty()) {
    return Fail(kExitBadArguments,
                "check: no program given; give it after --: ghostcard check -- PROGRAM ARGS");
  }
  if (!json_.empty()) {
    if (auto writable = text::CheckWritable(json_); !writable) {
      return Fail(kExitBadArguments, writable.error().message);
    }
  }
  options_.callback_bound =
      std::chrono::nanoseconds(static_cast<int64_t>(callback_bound_ms_ * 1e6));
  const auto report = check::RunCheck(options_);
  if (!report) return Fail(report.error().exit_code, report.error().message);
  fmt::print(stderr, "{}", check::CheckText(*report));
  if (!json_.empty()) {
    if (auto written = text::WriteJson(json_, check::ToJson(*report)); !written) {
      return Fail(kExitBadArguments, written.error().message);
    }
  }
  return check::CheckExitCode(*report);
}

}  // namespace tools::cli
