#include "tools/cli/simulate_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <thread>

#include "hwsim/base/parse_number.h"
#include "tools/cli/exit_codes.h"
#include "tools/scenario/scenario_toml_writer.h"
#include "tools/simulate/swarm.h"

namespace tools::cli {

namespace {

constexpr std::string_view kFaultPrefix = "fault ";
constexpr std::string_view kReachedPrefix = "reached ";

// Reads two numbers with `between` between them.
std::optional<std::pair<uint64_t, uint64_t>> ParsePair(std::string_view text,
                                                       std::string_view between) {
  const size_t at = text.find(between);
  if (at == text.npos) return std::nullopt;
  const auto first = hwsim::ParseNumber(text.substr(0, at));
  const auto second = hwsim::ParseNumber(text.substr(at + between.size()));
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

// Prints the counts whose names begin with `prefix`, without it, under a heading. Without such
// counts it prints nothing.
void PrintCounts(const simulate::SimulateReport& report, std::string_view heading,
                 std::string_view prefix) {
  const auto first = report.counts.lower_bound(std::string(prefix));
  for (auto it = first; it != report.counts.end() && it->first.starts_with(prefix); ++it) {
    if (it == first) fmt::print("\n{}\n", heading);
    fmt::print("{:>12}  {}\n", it->second, it->first.substr(prefix.size()));
  }
}

uint32_t Processors() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace

int ExitCodeOf(simulate::Verdict verdict) {
  switch (verdict) {
    case simulate::Verdict::kGood:
      return 0;
    case simulate::Verdict::kBroken:
      return kExitBrokenInvariant;
    case simulate::Verdict::kStuck:
      return kExitNoProgress;
    case simulate::Verdict::kCrashed:
      break;
  }
  return kExitCrash;
}

void SimulateCommand::AddTo(CLI::App& app) {
  app.footer(
      "Exit codes: 0 every seed is good; 1 the command could not run; 2 bad arguments; 3 an "
      "invariant was broken; 4 no progress: not every operation ended in time, or a seed took "
      "more than 30 s of real time; 5 a crash.");
  app.add_option("--seed", seed_,
                 "Run one seed and print its scenario: a number, or a commit hash (7 to 64 "
                 "hexadecimal digits, of which the first 16 count)")
      ->type_name("SEED");
  app.add_option("--seeds", seeds_, "Run many seeds: from A to B, both included")
      ->type_name("A..B")
      ->capture_default_str()
      ->excludes("--seed");
  app.add_option("--shard", shard_,
                 "Run only every Nth of the seeds, beginning with the seed at index I")
      ->type_name("I/N")
      ->excludes("--seed");
  options_.workers = Processors();
  app.add_option("--jobs", options_.workers, "Worker processes")
      ->check(CLI::Range(1u, 1024u))
      ->capture_default_str();
  app.add_option("--log", options_.log,
                 "With --seed: write the events to this file, for ghostcard replay")
      ->needs("--seed")
      ->type_name("FILE");
}

int SimulateCommand::Run() {
  if (!seed_.empty()) {
    const auto seed = simulate::ParseSeed(seed_);
    if (!seed) {
      throw CLI::ValidationError("--seed",
                                 "'" + seed_ +
                                     "' given; allowed: a number, or a commit hash of 7 to 64 "
                                     "hexadecimal digits");
    }
    return RunOne(*seed);
  }
  const auto range = ParsePair(seeds_, "..");
  // The range of all 2^64 seeds is refused: its count does not fit.
  if (!range || range->first > range->second || range->second - range->first == UINT64_MAX) {
    throw CLI::ValidationError("--seeds",
                               "'" + seeds_ + "' given; allowed: A..B, two numbers, A <= B");
  }
  options_.seeds = {.first = range->first, .last = range->second};
  if (!shard_.empty()) {
    const auto shard = ParsePair(shard_, "/");
    if (!shard || shard->first >= shard->second) {
      throw CLI::ValidationError("--shard",
                                 "'" + shard_ + "' given; allowed: I/N, two numbers, I < N");
    }
    options_.seeds.shard = shard->first;
    options_.seeds.shards = shard->second;
    if (options_.seeds.count() == 0) {
      throw CLI::ValidationError(
          "--shard",
          fmt::format("'{}' given, of {} seeds: none is left; allowed: I < {}", shard_,
                      range->second - range->first + 1, range->second - range->first + 1));
    }
  }
  return RunMany();
}

int SimulateCommand::RunOne(uint64_t seed) {
  options_.seeds = {.first = seed, .last = seed};
  options_.workers = 1;
  fmt::print("SEED={}\n\n{}\n", seed, scenario::ScenarioToml(simulate::DrawScenario(seed)));
  return Report(simulate::RunSimulate(options_), false);
}

int SimulateCommand::RunMany() {
  const bool on_terminal = ::isatty(STDERR_FILENO) != 0;
  const auto start = std::chrono::steady_clock::now();
  auto shown = start;
  const uint64_t total = options_.seeds.count();
  options_.progress = [&](uint64_t done) {
    const auto now = std::chrono::steady_clock::now();
    // Often on a terminal, where the line is rewritten; rarely in a file, where each line stays.
    if (now - shown < (on_terminal ? std::chrono::milliseconds(100) : std::chrono::seconds(30))) {
      return;
    }
    shown = now;
    fmt::print(stderr, "{}{} of {} seeds{}", on_terminal ? "\r\033[K" : "", done, total,
               on_terminal ? "" : "\n");
    std::fflush(stderr);
  };
  const auto report = simulate::RunSimulate(options_);
  if (on_terminal) fmt::print(stderr, "\r\033[K");
  return Report(report, true);
}

int SimulateCommand::Report(const hwsim::Expected<simulate::SimulateReport>& report,
                            bool many) const {
  if (!report) {
    return Fail(kExitFailed, "simulate: " + report.error().message);
  }
  if (report->failure) {
    const simulate::SeedFailure& failure = *report->failure;
    fmt::print("SEED={} {}: {}\nreplay: ghostcard simulate --seed {}\n", failure.seed,
               simulate::VerdictName(failure.verdict), failure.what, failure.seed);
    return ExitCodeOf(failure.verdict);
  }
  for (const auto& [name, count] : report->counts) {
    if (name.starts_with(kFaultPrefix) || name.starts_with(kReachedPrefix)) continue;
    fmt::print("{:>12}  {}\n", count, name);
  }
  PrintCounts(*report, "faults fired", kFaultPrefix);
  PrintCounts(*report, "rare branches reached", kReachedPrefix);
  fmt::print("\n");
  if (many) fmt::print("{:>12}  seeds, all good\n", report->seeds);
  fmt::print("event log hash {:016x}\n", report->hash);
  return 0;
}

}  // namespace tools::cli
