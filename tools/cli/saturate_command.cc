#include "tools/cli/saturate_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>

#include "tools/bench/report.h"
#include "tools/cli/choices.h"
#include "tools/cli/exit_codes.h"
#include "tools/cli/progress_line.h"

namespace tools::cli {

namespace {

constexpr const char* kFooter =
    "Columns: of ideal: throughput compared with what the card's model alone reaches; EAGAIN: how "
    "often a full queue pair refused a request; retries/op, p50 to max: refusals for each request; "
    "fairness: Jain's index of the requests that each job finished (1: all jobs are equal); per "
    "job: the fewest and the most of these; lost: requests that the card accepted and never "
    "completed.\n"
    "Exit codes: 0 nothing went wrong; 1 a request was lost, completed twice or failed, or it "
    "could not be run; 2 bad arguments.";

}  // namespace

void SaturateCommand::AddTo(CLI::App& app) {
  options_.completions = {hwsim::completion::CompletionMode::kInterrupt};
  options_.notifies = {load::Notify::kFd, load::Notify::kCallback};
  options_.retries = {engine::RetryPolicy::kWhenSpace, engine::RetryPolicy::kImmediate};
  common_.card.do_work = false;
  app.footer(kFooter);
  common_.AddTo(app, "qat-4xxx");
  AddChoices(app, "--completion", options_.completions,
             ChoicesOf<hwsim::completion::CompletionMode>(),
             "How completions are noticed; default: interrupt");
  AddChoices(app, "--notify", options_.notifies, ChoicesOf<load::Notify>(),
             "How the job is notified; default: both");
  AddChoices(app, "--retry", options_.retries, ChoicesOf<engine::RetryPolicy>(),
             "When a refused job is told to try again; default: both");
  AddChoice(app, "--operation", options_.operation, OperationChoices(), "What each job runs");
  app.add_option("--size", options_.size_bytes, "Bytes of input")
      ->check(CLI::Range(0u, kInputBytesMax))
      ->capture_default_str();
  app.add_option("--overload", options_.overload, "Jobs under way for each slot of the queue pair")
      ->check(CLI::Range(0.01, 1000.0))
      ->capture_default_str();
  requests_ = app.add_option("--requests", options_.requests,
                             "Requests in a run; at least one for each job")
                  ->check(CLI::Range(uint64_t{1}, kRequestsMax))
                  ->capture_default_str();
}

hwsim::Expected<void> SaturateCommand::Resolve() {
  if (auto resolved = common_.Resolve(); !resolved) return resolved;
  options_.card = common_.card;
  const uint32_t jobs = bench::SaturateJobs(options_);
  if (requests_->count() == 0) options_.requests = std::max<uint64_t>(options_.requests, jobs);
  if (options_.requests < jobs) {
    return hwsim::Unexpected(
        fmt::format("--requests: {} given; allowed: at least one for each of {} jobs (--overload "
                    "times --depth)",
                    options_.requests, jobs));
  }
  return {};
}

int SaturateCommand::Run() {
  if (auto resolved = Resolve(); !resolved) {
    return Fail(kExitBadArguments, resolved.error().message);
  }
  common_.PrintHeading(
      "saturate",
      fmt::format("{} times as many jobs as the queue pair has slots, {}, {} requests a run, "
                  "work: {}",
                  options_.overload, hwsim::operations::OperationName(options_.operation),
                  options_.requests, options_.card.do_work ? "real" : "none"));
  ProgressLine progress;
  options_.progress = [&](const std::string& what, double fraction) {
    progress.Show(what, fraction);
  };
  const auto reports = bench::RunSaturate(options_);
  progress.Clear();
  if (!reports) return Fail(kExitFailed, reports.error().message);
  return Report(*reports);
}

int SaturateCommand::Report(const std::vector<bench::SaturateReport>& reports) const {
  fmt::print(common_.text(), "{}\n", bench::SaturateTable(reports));
  nlohmann::json json = bench::ToJson(std::span<const bench::RunReport>{});
  uint64_t wrong = 0;
  for (const bench::SaturateReport& report : reports) {
    wrong += report.lost + report.duplicated + report.run.err;
    json["runs"].push_back(bench::ToJson(report));
  }
  fmt::print(common_.text(), "{}\n",
             wrong == 0 ? "Nothing was lost, nothing completed twice, nothing failed."
                        : "SOMETHING WENT WRONG: see ERR, lost and duplicated.");
  if (auto written = common_.MaybeWriteJson(json); !written) {
    return Fail(kExitFailed, written.error().message);
  }
  return wrong == 0 ? 0 : kExitFailed;
}

}  // namespace tools::cli
