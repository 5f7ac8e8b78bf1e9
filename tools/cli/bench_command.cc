#include "tools/cli/bench_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/bench/report.h"
#include "tools/bench/syscall_counter.h"
#include "tools/cli/choices.h"
#include "tools/cli/exit_codes.h"
#include "tools/cli/progress_line.h"

namespace tools::cli {

using hwsim::completion::CompletionMode;
using hwsim::operations::OperationKind;

namespace {

constexpr const char* kFooter =
    "Columns: p50 to p99.9: from the start of a job to its end; CPU/op: processor time of the "
    "whole process; wakeups/op: how often a thread slept and was woken; queueing: from the start "
    "of the job until a service unit of the card takes the request; service: until the card "
    "completes it; notification: until the job ends; card late: how much later than the modelled "
    "time the card completed.\n"
    "With --tls: to no card: handshakes a second, as a multiple of the server without the card; "
    "p50 to p99.9: from connect to the end of the handshake, at the client; CPU/handshake: "
    "processor time of the whole process, and its parts: server, clients, card; pauses: pauses of "
    "jobs for each handshake; EAGAIN: those because the card was full.\n"
    "Exit codes: 0 done; 1 it could not be run; 2 bad arguments.";

}  // namespace

void BenchCommand::AddTo(CLI::App& app) {
  options_.completions = {CompletionMode::kInterrupt, CompletionMode::kPolling,
                          CompletionMode::kInline};
  options_.notifies = {load::Notify::kFd, load::Notify::kCallback};
  options_.operations = {OperationKind::kNull, OperationKind::kRsa2048Sign};
  app.footer(kFooter);
  common_.AddTo(app, "ideal");
  completions_ = AddChoices(app, "--completion", options_.completions, ChoicesOf<CompletionMode>(),
                            "How completions are noticed; default: all");
  AddChoices(app, "--notify", options_.notifies, ChoicesOf<load::Notify>(),
             "How the job is notified; default: both");
  AddChoices(app, "--operation", options_.operations, OperationChoices(),
             "What each job runs; default: null and rsa2048_sign");
  app.add_option("--concurrency", options_.concurrency, "Jobs under way at a time")
      ->check(CLI::Range(1u, 1'000'000u))
      ->capture_default_str();
  app.add_option("--requests", options_.requests,
                 "Requests in a run; 0: as many as take about a second")
      ->check(CLI::Range(uint64_t{0}, kRequestsMax));
  app.add_option("--size", options_.size_bytes, "Bytes of input, for operations that have input")
      ->check(CLI::Range(0u, kInputBytesMax))
      ->capture_default_str();
  app.add_option("--repetitions", options_.repetitions,
                 "Runs of each row; the runs alternate between the rows")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  tls_.AddTo(app);
}

int BenchCommand::Run() {
  if (!tls_.wanted) return RunJobBench();
  if (completions_->count() == 0) options_.completions = {CompletionMode::kInterrupt};
  return RunTlsBenchCommand(common_, options_, tls_);
}

int BenchCommand::RunJobBench() {
  if (auto resolved = common_.Resolve(); !resolved) {
    return Fail(kExitBadArguments, resolved.error().message);
  }
  options_.card = common_.card;
  common_.PrintHeading(
      "bench", fmt::format("{} jobs under way on one thread, {} alternating repetitions, the "
                           "median shown",
                           options_.concurrency, options_.repetitions));
  ProgressLine progress;
  options_.progress = [&](const std::string& what, double fraction) {
    progress.Show(what, fraction);
  };
  const auto reports = bench::RunBench(options_);
  progress.Clear();
  if (!reports) return Fail(kExitFailed, reports.error().message);
  Print(*reports);
  if (auto written = common_.MaybeWriteJson(bench::ToJson(*reports)); !written) {
    return Fail(kExitFailed, written.error().message);
  }
  return 0;
}

void BenchCommand::Print(const std::vector<bench::RunReport>& reports) const {
  std::FILE* const text = common_.text();
  const bench::RunReport& first = reports.front();
  fmt::print(text, "transport {}{}{}, depth {}\n", first.transport,
             first.transport_note.empty() ? "" : ": ", first.transport_note, first.depth);
  fmt::print(text, "{}\n", bench::BenchTable(reports));
  if (!first.syscalls_per_completion) {
    fmt::print(text, "syscalls/op: not counted ({})\n", bench::SyscallCounter().why());
  }
  fmt::print(text, "{}\n", bench::BenchVerdict(reports));
}

}  // namespace tools::cli
