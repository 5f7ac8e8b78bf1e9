#include "tools/cli/replay_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "hwsim/config/toml_reader.h"
#include "tools/cli/exit_codes.h"
#include "tools/cli/simulate_command.h"
#include "tools/load/notify.h"
#include "tools/scenario/scenario.h"
#include "tools/scenario/scenario_toml.h"
#include "tools/scenario/scenario_toml_writer.h"
#include "tools/simulate/reduce.h"
#include "tools/simulate/run_log.h"
#include "tools/simulate/run_trace.h"
#include "tools/text/json_file.h"

namespace tools::cli {

namespace {

bool WriteText(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written;
}

// The source of a test that fails while the run fails.
std::string TestCase(const scenario::ScenarioOptions& options) {
  return fmt::format(
      R"(// One run: every invariant must hold, and every operation must end in time. Written by ghostcard
// replay.
#include <gtest/gtest.h>

#include "tools/scenario/scenario.h"
#include "tools/scenario/scenario_toml.h"

TEST(ReplayTest, EveryRuleHoldsAndEverythingEnds) {{
  const auto file = tools::scenario::ParseScenario(R"toml({})toml",
                                         "scenario");
  ASSERT_TRUE(file) << file.error().message;
  tools::scenario::ScenarioOptions options = file->options;
  options.notify = file->notify.front();
  const auto result = tools::scenario::RunScenario(options);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->broken.empty()) << testing::PrintToString(result->broken);
  EXPECT_EQ(result->count("stuck"), 0u);
}}
)",
      scenario::ScenarioToml(options));
}

}  // namespace

void ReplayCommand::AddTo(CLI::App& app) {
  app.footer(
      "Exit codes: 0 the run is good and as its file expects; 1 the command could not run; 2 bad "
      "arguments, or the file is not a log or scenario; 3 an invariant was broken; 4 no progress; "
      "5 a crash; 6 the run is not as its file expects.");
  app.add_option("LOG", log_, "A file written by simulate --log, or a scenario file")->required();
  app.add_option("--trace", trace_,
                 "Write the run to this file for ui.perfetto.dev (JSON); -: standard output")
      ->type_name("FILE");
  app.add_option("--gtest", gtest_,
                 "Write the run to this file as a GoogleTest case; -: standard output")
      ->type_name("FILE");
  app.add_flag("--no-reduce", no_reduce_, "Do not make a failing run smaller");
}

void ReplayCommand::MakeSmaller(const simulate::ScenarioTrial& trial,
                                scenario::ScenarioOptions& options) {
  fmt::print(stderr, "the run fails ({}: {}); making it smaller ...\n",
             simulate::VerdictName(trial.verdict), trial.what);
  const simulate::Reduction reduction =
      simulate::Reduce(options, [&](const scenario::ScenarioOptions& smaller) {
        const auto again = simulate::TryScenario(smaller, false);
        return again && simulate::FailsAlike(*again, trial);
      });
  const auto describe = [](const scenario::ScenarioOptions& some) {
    return fmt::format("{} jobs, {} operations each, {} faults", some.jobs, some.operations,
                       some.card.faults.rules.size());
  };
  fmt::print("reduced in {} runs: {}; was: {}\n", reduction.tries, describe(reduction.options),
             describe(options));
  options = reduction.options;
}

bool ReplayCommand::Fails(const scenario::ScenarioFile& file, load::Notify notify,
                          simulate::Verdict verdict) {
  if (verdict != simulate::Verdict::kStuck) return verdict != simulate::Verdict::kGood;
  const auto expected = file.expected.find(notify);
  return expected == file.expected.end() || !expected->second.contains("stuck");
}

hwsim::Expected<std::vector<std::string>> ReplayCommand::UnmetOf(
    const scenario::ScenarioFile& file) {
  std::vector<std::string> unmet;
  for (const load::Notify notify : file.notify) {
    scenario::ScenarioOptions options = file.options;
    options.notify = notify;
    const auto result = scenario::RunScenario(options);
    if (!result) return hwsim::Unexpected(result.error());
    for (const std::string& line : scenario::UnmetExpectations(file, notify, *result)) {
      unmet.push_back(fmt::format("notified by {}: {}", load::NotifyName(notify), line));
    }
  }
  return unmet;
}

int ReplayCommand::Write(const scenario::ScenarioOptions& options,
                         const simulate::ScenarioTrial& trial) const {
  if (!trace_.empty()) {
    if (auto written = text::WriteJson(trace_, simulate::RunTrace(trial.events)); !written) {
      return Fail(kExitFailed, "replay: " + written.error().message);
    }
  }
  if (gtest_ == "-") {
    fmt::print("{}", TestCase(options));
  } else if (!gtest_.empty() && !WriteText(gtest_, TestCase(options))) {
    return Fail(kExitFailed, "replay: " + gtest_ + ": " + std::strerror(errno));
  }
  return 0;
}

int ReplayCommand::Run() {
  const auto text = hwsim::config::ReadTextFile(log_);
  if (!text) return Fail(kExitBadArguments, "replay: " + text.error().message);
  const auto file = scenario::ParseScenario(*text, log_);
  if (!file) return Fail(kExitBadArguments, "replay: " + file.error().message);
  scenario::ScenarioOptions options = file->options;
  options.notify = file->notify.front();
  auto trial = simulate::TryScenario(options, true);
  if (!trial) return Fail(kExitFailed, "replay: " + trial.error().message);
  const std::optional<uint64_t> logged = simulate::LoggedHash(*text);
  if (logged && trial->verdict == simulate::Verdict::kGood && *logged != trial->hash) {
    fmt::print(
        stderr,
        "the hash of this run is {:016x}, that of the log {:016x}: another version wrote it, so "
        "the events below differ from the log's\n",
        trial->hash, *logged);
  }
  // Shows the first run that fails; without one, the first run.
  bool fails = Fails(*file, options.notify, trial->verdict);
  for (size_t i = 1; i < file->notify.size() && !fails; ++i) {
    scenario::ScenarioOptions other = options;
    other.notify = file->notify[i];
    auto again = simulate::TryScenario(other, true);
    if (!again) return Fail(kExitFailed, "replay: " + again.error().message);
    fails = Fails(*file, other.notify, again->verdict);
    if (!fails) continue;
    options = other;
    trial = std::move(again);
  }
  if (fails && !no_reduce_) {
    MakeSmaller(*trial, options);
    trial = simulate::TryScenario(options, true);
    if (!trial) return Fail(kExitFailed, "replay: " + trial.error().message);
  }
  std::FILE* const out = trace_ == "-" ? stderr : stdout;
  fmt::print(out, "{}\n", scenario::ScenarioToml(options));
  for (const scenario::Event& event : trial->events)
    fmt::print(out, "{}\n", scenario::EventLine(event));
  if (trial->verdict == simulate::Verdict::kGood) {
    fmt::print(out, "good; event log hash {:016x}\n", trial->hash);
  } else {
    fmt::print(out, "{}: {}\n", simulate::VerdictName(trial->verdict), trial->what);
  }
  if (const int code = Write(options, *trial); code != 0) return code;
  if (fails || file->expected.empty()) return ExitCodeOf(trial->verdict);
  const auto unmet = UnmetOf(*file);
  if (!unmet) return Fail(kExitFailed, "replay: " + unmet.error().message);
  for (const std::string& line : *unmet) fmt::print(out, "not as expected, {}\n", line);
  if (!unmet->empty()) return kExitNotAsExpected;
  fmt::print(out, "as expected\n");
  return 0;
}

}  // namespace tools::cli
