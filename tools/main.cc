// ghostcard: the command line. Subcommands: bench, saturate, check, simulate, replay.
//
// Exit codes: 0 done; 1 it could not be run, or a check of the results failed; 2 bad arguments.
// check, simulate and replay have more: see CheckExitCode, simulate_command.h and replay_command.h.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "hwsim/base/parse_number.h"
#include "hwsim/model/known_names.h"
#include "hwsim/model/profile_toml.h"
#include "tools/bench.h"
#include "tools/check.h"
#include "tools/check_rules.h"
#include "tools/replay_command.h"
#include "tools/report.h"
#include "tools/saturate.h"
#include "tools/simulate_command.h"
#include "tools/tls_bench.h"

namespace {

using hwsim::CompletionMode;
using hwsim::OperationKind;
using tools::Notify;

constexpr int kExitFailed = 1;
constexpr int kExitBadArguments = 2;

constexpr const char* kVersion = "ghostcard 0.1.0";

constexpr const char* kBenchFooter =
    "Columns: p50 to p99.9 from the job's start to its end; CPU/op of the whole process; "
    "wakeups/op threads that slept and were woken; queueing from the job's start to the card's "
    "engine, service on it, notification from its end to the job's; card late: after the modelled "
    "time.\n"
    "Exit codes: 0 done; 1 it could not be run; 2 bad arguments.";
constexpr const char* kSaturateFooter =
    "Columns: of ideal: beside what the model alone serves; EAGAIN: answers of a full queue pair; "
    "retries/op, p50 to max: of these for each request; fairness: Jain's index of what the jobs "
    "finished (1: all alike), per job: the least and the most; lost: accepted and never "
    "completed.\n"
    "Exit codes: 0 nothing went wrong; 1 something was lost, duplicated or failed, or it could not "
    "be run; 2 bad arguments.";

// One line on a terminal, rewritten in place; nothing elsewhere.
class ProgressLine {
 public:
  ~ProgressLine() { Clear(); }
  void Show(const std::string& what, double fraction) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_terminal_ || now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    fmt::print(stderr, "\r\033[K{:3.0f} %  {}", 100 * fraction, what);
    std::fflush(stderr);
  }
  void Clear() {
    if (on_terminal_ && shown_.time_since_epoch().count() != 0) fmt::print(stderr, "\r\033[K");
    shown_ = {};
  }

 private:
  const bool on_terminal_ = ::isatty(STDERR_FILENO) != 0;
  std::chrono::steady_clock::time_point shown_{};
};

// The values of an axis by name, for CLI11's checks and messages.
const std::map<std::string, CompletionMode> kCompletions = {
    {"interrupt", CompletionMode::kInterrupt},
    {"polling", CompletionMode::kPolling},
    {"inline", CompletionMode::kInline}};
const std::map<std::string, Notify> kNotifies = {{"fd", Notify::kFd},
                                                 {"callback", Notify::kCallback}};
const std::map<std::string, hwsim::TransportKind> kTransports = {
    {"auto", hwsim::TransportKind::kAuto},
    {"uring", hwsim::TransportKind::kUring},
    {"memory", hwsim::TransportKind::kMemory}};
const std::map<std::string, engine::RetryPolicy> kRetries = {
    {"when_space", engine::RetryPolicy::kWhenSpace},
    {"immediate", engine::RetryPolicy::kImmediate}};
const std::map<std::string, tools::TlsVersion> kTlsVersions = {{"1.2", tools::TlsVersion::k12},
                                                               {"1.3", tools::TlsVersion::k13}};
const std::map<std::string, tools::TlsKey> kTlsKeys = {{"rsa2048", tools::TlsKey::kRsa2048},
                                                       {"rsa4096", tools::TlsKey::kRsa4096},
                                                       {"ecdsa_p256", tools::TlsKey::kEcdsaP256}};
constexpr uint64_t kRequestsMax = 1'000'000'000'000;
const std::map<std::string, bool> kWork = {{"real", true}, {"none", false}};

// CLI11 takes "-1" for the largest number there is.
CLI::Validator WholeNumber() {
  const auto check = [](const std::string& text) {
    return hwsim::ParseNumber(text) ? ""
                                    : "'" + text + "' given; allowed: a whole number below 2^64";
  };
  return {check, "UINT"};
}

const std::map<std::string, OperationKind>& Operations() {
  static std::map<std::string, OperationKind> operations;
  for (size_t i = 0; i < hwsim::kOperationKindCount; ++i) {
    const auto kind = static_cast<OperationKind>(i);
    if (kind != OperationKind::kOther) operations.emplace(hwsim::OperationName(kind), kind);
  }
  return operations;
}

template <typename T>
std::string Names(const std::map<std::string, T>& choices) {
  std::string names;
  for (const auto& [name, value] : choices) names += (names.empty() ? "" : ", ") + name;
  return names;
}

template <typename T>
T Chosen(const std::string& flag, const std::string& name,
         const std::map<std::string, T>& choices) {
  const auto found = choices.find(name);
  if (found == choices.end()) {
    throw CLI::ValidationError(flag, "'" + name + "' given; allowed: " + Names(choices));
  }
  return found->second;
}

template <typename T>
void AddChoice(CLI::App& app, const std::string& flag, T& value,
               const std::map<std::string, T>& choices, const std::string& help) {
  app.add_option_function<std::string>(
         flag,
         [&value, &choices, flag](const std::string& name) { value = Chosen(flag, name, choices); },
         help + ". One of: " + Names(choices))
      ->type_name("NAME");
}

template <typename T>
CLI::Option* AddChoices(CLI::App& app, const std::string& flag, std::vector<T>& values,
                        const std::map<std::string, T>& choices, const std::string& help) {
  return app
      .add_option_function<std::vector<std::string>>(
          flag,
          [&values, &choices, flag](const std::vector<std::string>& names) {
            values.clear();
            for (const std::string& name : names) values.push_back(Chosen(flag, name, choices));
          },
          help + ". Some of, separated by commas: " + Names(choices))
      ->delimiter(',')
      ->type_name("NAMES");
}

struct CommonArguments {
  tools::CardOptions card;
  std::string profile;
  std::string config;
  std::string json;
  double poll_interval_us = 10;

  void AddTo(CLI::App& app, const std::string& default_profile) {
    profile = default_profile;
    AddChoice(
        app, "--transport", card.transport, kTransports,
        "How requests travel: io_uring, shared-memory rings, or io_uring if the kernel lets us");
    CLI::Option* const named =
        app.add_option("--profile", profile,
                       "Which card: " + hwsim::JoinedNames(hwsim::ShippedProfileNames()))
            ->capture_default_str();
    app.add_option("--config", config, "A TOML file that describes the card, instead of --profile")
        ->excludes(named);
    app.add_option("--depth", card.depth, "Requests in flight at most; 0: the profile's")
        ->check(CLI::Range(0u, 32768u));
    app.add_option("--queue-pairs", card.queue_pairs, "Queue pairs")->check(CLI::Range(1u, 1024u));
    app.add_option("--execution-threads", card.execution_threads,
                   "Threads that do the card's work; 0: one per processor")
        ->check(CLI::Range(0u, 64u));
    AddChoice(app, "--work", card.do_work, kWork,
              "Whether operations are executed, or only take their modelled time");
    app.add_option("--poll-interval-us", poll_interval_us,
                   "Polling: microseconds between looks at the rings; 0: without a pause")
        ->check(CLI::Range(0.0, 1e6))
        ->capture_default_str();
    app.add_option("--seed", card.seed, "Seed of everything random")
        ->check(WholeNumber())
        ->capture_default_str();
    app.add_option("--json", json, "Write the results to this file as JSON; -: standard output");
  }

  // Where the text for people goes: out of the way when JSON has standard output.
  std::FILE* text() const { return json == "-" ? stderr : stdout; }

  hwsim::Expected<void> Resolve() {
    auto loaded = config.empty() ? hwsim::ShippedProfile(profile) : hwsim::LoadProfile(config);
    if (!loaded) return hwsim::Unexpected(std::move(loaded.error()));
    card.profile = std::move(*loaded);
    card.poll_interval = std::chrono::nanoseconds(static_cast<int64_t>(poll_interval_us * 1000));
    if (card.queue_pairs > card.profile.queue_pairs_max) {
      return hwsim::Unexpected(fmt::format("--queue-pairs: {} given; card '{}' has at most {}",
                                           card.queue_pairs, card.profile.name,
                                           card.profile.queue_pairs_max));
    }
    // Before the runs, which may take long.
    return json.empty() ? hwsim::Expected<void>{} : tools::CheckWritable(json);
  }
};

int Fail(int code, const std::string& message) {
  fmt::print(stderr, "ghostcard: {}\n", message);
  return code;
}

void PrintHeading(const std::string& command, const CommonArguments& common,
                  const std::string& load) {
  const tools::CardOptions& card = common.card;
  std::FILE* const text = common.text();
  fmt::print(text, "ghostcard {}: simulated card '{}' ({})\n{}\n", command, card.profile.name,
             card.profile.source, load);
  for (const auto& [name, value] : tools::Environment())
    fmt::print(text, "  {}: {}\n", name, value);
  if (!tools::IsOptimisedBuild()) {
    fmt::print(text,
               "WARNING: this program was built without optimisation (or with a sanitizer): "
               "the figures say nothing. Build with bazel build -c opt.\n");
  }
  fmt::print(text, "\n");
  std::fflush(text);
}

hwsim::Expected<void> MaybeWriteJson(const CommonArguments& common, const nlohmann::json& json) {
  if (common.json.empty()) return {};
  return tools::WriteJson(common.json, json);
}

int Bench(CommonArguments& common, tools::BenchOptions& options) {
  if (auto resolved = common.Resolve(); !resolved) {
    return Fail(kExitBadArguments, resolved.error().message);
  }
  options.card = common.card;
  PrintHeading(
      "bench", common,
      fmt::format("{} jobs under way on one thread, {} repetitions in turn, the median shown",
                  options.concurrency, options.repetitions));
  ProgressLine progress;
  options.progress = [&](const std::string& what, double fraction) {
    progress.Show(what, fraction);
  };
  const auto reports = tools::RunBench(options);
  progress.Clear();
  if (!reports) return Fail(kExitFailed, reports.error().message);
  const tools::RunReport& first = reports->front();
  fmt::print(common.text(), "transport {}{}{}, depth {}\n", first.transport,
             first.transport_note.empty() ? "" : ": ", first.transport_note, first.depth);
  fmt::print(common.text(), "{}\n", tools::BenchTable(*reports));
  if (!first.syscalls_per_completion) {
    fmt::print(common.text(), "syscalls/op: not counted ({})\n", tools::SyscallCounter().why());
  }
  fmt::print(common.text(), "{}\n", tools::BenchVerdict(*reports));
  if (auto written = MaybeWriteJson(common, tools::ToJson(*reports)); !written) {
    return Fail(kExitFailed, written.error().message);
  }
  return 0;
}

// What `bench --tls` has besides the arguments of bench.
struct TlsArguments {
  bool wanted = false;
  std::vector<tools::TlsVersion> versions = {tools::TlsVersion::k12, tools::TlsVersion::k13};
  std::vector<tools::TlsKey> keys = {tools::TlsKey::kRsa2048, tools::TlsKey::kRsa4096,
                                     tools::TlsKey::kEcdsaP256};
  uint32_t client_threads = 2;

  // After the other options of `bench`.
  void AddTo(CLI::App& app) {
    CLI::Option* const tls =
        app.add_flag("--tls", wanted,
                     "Compare TLS servers instead, without the card and with it, told by fd and by "
                     "callback; --requests are handshakes, --concurrency connections, and "
                     "--completion is one, interrupt unless given");
    for (const char* other : {"--operation", "--size", "--work"}) tls->excludes(other);
    AddChoices(app, "--tls-version", versions, kTlsVersions, "Both unless given")->needs(tls);
    AddChoices(app, "--tls-key", keys, kTlsKeys, "The server's key; all unless given")->needs(tls);
    app.add_option("--client-threads", client_threads, "Threads that the clients have")
        ->check(CLI::Range(1u, 64u))
        ->capture_default_str()
        ->needs(tls);
  }
};

int BenchTls(CommonArguments& common, const tools::BenchOptions& bench, const TlsArguments& tls) {
  if (auto resolved = common.Resolve(); !resolved) {
    return Fail(kExitBadArguments, resolved.error().message);
  }
  if (bench.completions.size() != 1) {
    return Fail(kExitBadArguments, fmt::format("--completion: {} given; with --tls allowed: one",
                                               bench.completions.size()));
  }
  tools::TlsBenchOptions options{
      .card = {.card = common.card,
               .profile = common.profile,
               .config = common.config,
               .completion = bench.completions.front()},
      .versions = tls.versions,
      .keys = tls.keys,
      .concurrency = std::max(bench.concurrency, tls.client_threads),
      .client_threads = tls.client_threads,
      .handshakes = bench.requests,
      .repetitions = bench.repetitions,
  };
  for (const Notify notify : bench.notifies) {
    options.notifies.push_back(notify == Notify::kFd ? tools::TlsNotify::kFd
                                                     : tools::TlsNotify::kCallback);
  }
  PrintHeading(
      "bench --tls", common,
      fmt::format("a TLS server on one thread, {} connections under way from {} client thread(s) "
                  "on the same processors, completion by {}, {} repetitions in turn, the median "
                  "shown",
                  options.concurrency, options.client_threads,
                  hwsim::CompletionModeName(options.card.completion), options.repetitions));
  ProgressLine progress;
  options.progress = [&](const std::string& what, double fraction) {
    progress.Show(what, fraction);
  };
  const auto reports = tools::RunTlsBench(options);
  progress.Clear();
  if (!reports) return Fail(kExitFailed, reports.error().message);
  fmt::print(common.text(), "{}\n{}\n", tools::TlsTable(*reports), tools::TlsVerdict(*reports));
  nlohmann::json json = tools::ToJson(std::span<const tools::RunReport>{});
  for (const tools::TlsReport& report : *reports) json["runs"].push_back(tools::ToJson(report));
  if (auto written = MaybeWriteJson(common, json); !written) {
    return Fail(kExitFailed, written.error().message);
  }
  return 0;
}

int Saturate(CommonArguments& common, tools::SaturateOptions& options, bool requests_given) {
  if (auto resolved = common.Resolve(); !resolved) {
    return Fail(kExitBadArguments, resolved.error().message);
  }
  options.card = common.card;
  if (!requests_given) {
    options.requests = std::max<uint64_t>(options.requests, tools::SaturateJobs(options));
  }
  if (options.requests < tools::SaturateJobs(options)) {
    return Fail(
        kExitBadArguments,
        fmt::format("--requests: {} given; allowed: at least one for each of {} jobs, which "
                    "--overload and --depth come to",
                    options.requests, tools::SaturateJobs(options)));
  }
  PrintHeading(
      "saturate", common,
      fmt::format("{} times as many jobs as the queue pair has slots, {}, {} requests a run, "
                  "work: {}",
                  options.overload, hwsim::OperationName(options.operation), options.requests,
                  options.card.do_work ? "real" : "none"));
  ProgressLine progress;
  options.progress = [&](const std::string& what, double fraction) {
    progress.Show(what, fraction);
  };
  const auto reports = tools::RunSaturate(options);
  progress.Clear();
  if (!reports) return Fail(kExitFailed, reports.error().message);
  fmt::print(common.text(), "{}\n", tools::SaturateTable(*reports));
  uint64_t wrong = 0;
  nlohmann::json runs = nlohmann::json::array();
  for (const tools::SaturateReport& report : *reports) {
    wrong += report.lost + report.duplicated + report.run.err;
    nlohmann::json run = tools::ToJson(report.run);
    run["ideal_ops_per_s"] = report.ideal_ops_per_s;
    run["fairness_jain"] = report.fairness;
    run["retries_per_op"] = {{"mean", report.retries_mean},
                             {"p50", report.retries.p50},
                             {"p90", report.retries.p90},
                             {"p99", report.retries.p99},
                             {"max", report.retries.max}};
    run["lost"] = report.lost;
    run["duplicated"] = report.duplicated;
    runs.push_back(std::move(run));
  }
  fmt::print(common.text(), "{}\n",
             wrong == 0 ? "Nothing was lost, nothing completed twice, nothing failed."
                        : "SOMETHING WENT WRONG: see ERR, lost and duplicated.");
  nlohmann::json json = tools::ToJson(std::span<const tools::RunReport>{});
  json["runs"] = std::move(runs);
  if (auto written = MaybeWriteJson(common, json); !written) {
    return Fail(kExitFailed, written.error().message);
  }
  return wrong == 0 ? 0 : kExitFailed;
}

struct CheckArguments {
  tools::CheckOptions options;
  std::string json;
  double callback_bound_ms = 10;

  void AddTo(CLI::App& app) {
    app.footer(
        "After -- the program and its arguments: ghostcard check -- PROGRAM ARGS\n"
        "Exit codes: 0 no findings; 1 findings; 2 bad arguments, or a program that cannot be "
        "checked; 126 and 127 it could not be run, or found; else the program's own (128 + N "
        "after signal N; 3 for its 1 and 2).");
    AddChoices(app, "--ignore", options.ignored, Rules(), "Rules not to report");
    app.add_option("--callback-bound-ms", callback_bound_ms,
                   "Milliseconds that a callback may run or block")
        ->check(CLI::Range(0.001, 1e6))
        ->capture_default_str();
    app.add_option("--json", json, "Write the findings to this file as JSON; -: standard output");
  }
  static const std::map<std::string, waitctx::check::Rule>& Rules() {
    static std::map<std::string, waitctx::check::Rule> rules;
    for (const tools::RuleText& text : tools::RuleTexts()) rules.emplace(text.name, text.rule);
    return rules;
  }
};

int Check(CheckArguments& arguments) {
  if (arguments.options.command.empty()) {
    return Fail(kExitBadArguments,
                "check: no program given; give it after --: ghostcard check -- PROGRAM ARGS");
  }
  if (!arguments.json.empty()) {
    if (auto writable = tools::CheckWritable(arguments.json); !writable) {
      return Fail(kExitBadArguments, writable.error().message);
    }
  }
  arguments.options.callback_bound =
      std::chrono::nanoseconds(static_cast<int64_t>(arguments.callback_bound_ms * 1e6));
  const auto report = tools::RunCheck(arguments.options);
  if (!report) return Fail(report.error().exit_code, report.error().message);
  fmt::print(stderr, "{}", tools::CheckText(*report));
  if (!arguments.json.empty()) {
    if (auto written = tools::WriteJson(arguments.json, tools::ToJson(*report)); !written) {
      return Fail(kExitBadArguments, written.error().message);
    }
  }
  return tools::CheckExitCode(*report);
}

// Takes what follows the first `--` off the arguments: it is another program's, to the letter.
std::vector<std::string> TakeCommand(int& argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--") continue;
    std::vector<std::string> command(argv + i + 1, argv + argc);
    argc = i;
    return command;
  }
  return {};
}

int Run(int argc, char** argv) {
  CLI::App app{"Ghostcard: a hardware accelerator card that isn't there.", "ghostcard"};
  app.require_subcommand(1);
  app.set_version_flag("--version", kVersion, "Print the version and exit");
  app.failure_message(CLI::FailureMessage::help);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("ghostcard: {}\nTry --help.\n", error.what());
  });

  CommonArguments bench_common;
  tools::BenchOptions bench;
  bench.completions = {CompletionMode::kInterrupt, CompletionMode::kPolling,
                       CompletionMode::kInline};
  bench.notifies = {Notify::kFd, Notify::kCallback};
  bench.operations = {OperationKind::kNull, OperationKind::kRsa2048Sign};
  CLI::App* const bench_app = app.add_subcommand(
      "bench",
      "Compare fd and callback notification, and interrupt, polling and inline completion");
  bench_app->footer(kBenchFooter);
  bench_common.AddTo(*bench_app, "ideal");
  CLI::Option* const completions =
      AddChoices(*bench_app, "--completion", bench.completions, kCompletions,
                 "Who notices completions; all unless given");
  AddChoices(*bench_app, "--notify", bench.notifies, kNotifies,
             "How the job is told; both unless given");
  AddChoices(*bench_app, "--operation", bench.operations, Operations(),
             "null and rsa2048_sign unless given");
  bench_app->add_option("--concurrency", bench.concurrency, "Jobs under way at a time")
      ->check(CLI::Range(1u, 1'000'000u))
      ->capture_default_str();
  bench_app
      ->add_option("--requests", bench.requests,
                   "Requests in a run; 0: as many as take about a second")
      ->check(CLI::Range(uint64_t{0}, kRequestsMax));
  bench_app->add_option("--size", bench.size_bytes, "Bytes of input, for operations that have one")
      ->check(CLI::Range(0u, 64u << 20))
      ->capture_default_str();
  bench_app->add_option("--repetitions", bench.repetitions, "Runs of each row, in turn")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();

  TlsArguments tls;
  tls.AddTo(*bench_app);

  CommonArguments saturate_common;
  tools::SaturateOptions saturate;
  saturate.completions = {CompletionMode::kInterrupt};
  saturate.notifies = {Notify::kFd, Notify::kCallback};
  saturate.retries = {engine::RetryPolicy::kWhenSpace, engine::RetryPolicy::kImmediate};
  saturate_common.card.do_work = false;
  CLI::App* const saturate_app =
      app.add_subcommand("saturate", "Drive a queue pair past its depth and see who gets through");
  saturate_app->footer(kSaturateFooter);
  saturate_common.AddTo(*saturate_app, "qat-4xxx");
  AddChoices(*saturate_app, "--completion", saturate.completions, kCompletions,
             "interrupt unless given");
  AddChoices(*saturate_app, "--notify", saturate.notifies, kNotifies, "Both unless given");
  AddChoices(*saturate_app, "--retry", saturate.retries, kRetries,
             "When a refused job is told to try again; both unless given");
  AddChoice(*saturate_app, "--operation", saturate.operation, Operations(), "What each job runs");
  saturate_app->add_option("--size", saturate.size_bytes, "Bytes of input")
      ->check(CLI::Range(0u, 64u << 20))
      ->capture_default_str();
  saturate_app->add_option("--overload", saturate.overload, "Jobs under way per slot")
      ->check(CLI::Range(0.01, 1000.0))
      ->capture_default_str();
  CLI::Option* const saturate_requests =
      saturate_app
          ->add_option("--requests", saturate.requests,
                       "Requests in a run; at least one for each job")
          ->check(CLI::Range(uint64_t{1}, kRequestsMax))
          ->capture_default_str();

  CheckArguments check;
  CLI::App* const check_app = app.add_subcommand(
      "check",
      "Run a program of yours, and report where it breaks the rules of OpenSSL's async jobs");
  check.AddTo(*check_app);
  if (argc > 1 && std::string_view(argv[1]) == "check") {
    check.options.command = TakeCommand(argc, argv);
  }

  tools::SimulateCommand simulate;
  CLI::App* const simulate_app = app.add_subcommand(
      "simulate", "Run jobs, engine and card under a virtual clock, with faults drawn from seeds");
  simulate.AddTo(*simulate_app);
  tools::ReplayCommand replay;
  CLI::App* const replay_app = app.add_subcommand(
      "replay", "Show one run of simulate step by step, made smaller first if it fails");
  replay.AddTo(*replay_app);

  if (argc > 1 && argv[1][0] != '-') {
    bool known = false;
    std::string names;
    for (const CLI::App* const command : app.get_subcommands(nullptr)) {
      known = known || command->get_name() == argv[1];
      names += (names.empty() ? "" : ", ") + command->get_name();
    }
    if (!known) {
      return Fail(kExitBadArguments, fmt::format("'{}' given; allowed: {}", argv[1], names));
    }
  }
  try {
    app.parse(argc, argv);
    if (simulate_app->parsed()) return simulate.Run();
    if (replay_app->parsed()) return replay.Run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitBadArguments;
  }
  if (check_app->parsed()) return Check(check);
  if (saturate_app->parsed()) {
    return Saturate(saturate_common, saturate, saturate_requests->count() != 0);
  }
  if (!tls.wanted) return Bench(bench_common, bench);
  if (completions->count() == 0) bench.completions = {CompletionMode::kInterrupt};
  return BenchTls(bench_common, bench, tls);
}

}  // namespace

int main(int argc, char** argv) {
  int code = 0;
  try {
    code = Run(argc, argv);
  } catch (const std::system_error& error) {  // fmt's, where it cannot write
    return Fail(kExitFailed, error.what());
  }
  if (std::fflush(stdout) != 0) return Fail(kExitFailed, "standard output cannot be written");
  return code;
}
