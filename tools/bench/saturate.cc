#include "tools/bench/saturate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "hwsim/base/check.h"
#include "hwsim/card/virtual_card.h"
#include "tools/bench/report.h"
#include "tools/text/table.h"

namespace tools::bench {

using hwsim::Expected;

Expected<double> IdealThroughput(const load::CardOptions& options,
                                 hwsim::operations::OperationKind operation, uint32_t size_bytes) {
  hwsim::model::Profile profile = options.profile;
  profile.faults = {};
  auto card = hwsim::card::VirtualCard::Create({.profile = std::move(profile),
                                                .queue_pairs = options.queue_pairs,
                                                .depth = options.depth,
                                                .seed = options.seed});
  if (!card) return hwsim::Unexpected(std::move(card.error()));
  (*card)->SetInterrupts(false);
  hwsim::rings::QueuePair& queue_pair = *(*card)->queue_pairs()[0];
  const uint32_t depth = queue_pair.depth();
  const auto requests = std::make_unique<hwsim::operations::Request[]>(depth);
  const auto submit = [&](hwsim::operations::Request& request) {
    request.kind = operation;
    request.size_bytes = size_bytes;
    GHOSTCARD_CHECK(queue_pair.Submit(request) == hwsim::operations::SubmitStatus::kOk,
                    "a slot is free");
  };
  for (uint32_t i = 0; i < depth; ++i) submit(requests[i]);
  // The first completions belong to the start-up and are not counted.
  const uint64_t skipped = 2ull * depth;
  const uint64_t counted = std::max<uint64_t>(20'000, 4ull * depth);
  uint64_t completed = 0;
  hwsim::TimePoint start{};
  std::array<hwsim::operations::Request*, 64> done;
  while (completed < skipped + counted) {
    GHOSTCARD_CHECK((*card)->Step(), "requests are in flight");
    while (const size_t count = queue_pair.PopCompleted(done)) {
      for (size_t i = 0; i < count; ++i) {
        if (++completed == skipped) start = (*card)->clock().Now();
        submit(*done[i]);
      }
    }
  }
  const auto time = std::chrono::duration<double>((*card)->clock().Now() - start).count();
  // A model without latency and without a rate cap has no limit: virtual time stands still.
  return time > 0 ? static_cast<double>(completed - skipped) / time : HUGE_VAL;
}

double JainIndex(const std::vector<uint64_t>& values) {
  double sum = 0;
  double squares = 0;
  for (const uint64_t value : values) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  return squares == 0 ? 1 : sum * sum / (static_cast<double>(values.size()) * squares);
}

namespace {

SaturateReport Summarise(RunReport run, double ideal) {
  SaturateReport report;
  report.ideal_ops_per_s = ideal;
  report.fairness = JainIndex(run.finished_per_job);
  const auto [least, most] =
      std::minmax_element(run.finished_per_job.begin(), run.finished_per_job.end());
  report.job_finished_min = *least;
  report.job_finished_max = *most;
  report.retries_mean = run.retries.empty()
                            ? 0
                            : std::accumulate(run.retries.begin(), run.retries.end(), 0.0) /
                                  static_cast<double>(run.retries.size());
  report.retries = QuantilesOf(run.retries);
  // Every job has finished, so the engine completes nothing more.
  const engine::Engine::Stats& stats = run.engine;
  const uint64_t completed = stats.succeeded + stats.failed;
  report.lost = stats.accepted > completed ? stats.accepted - completed : 0;
  report.duplicated = completed > stats.accepted ? completed - stats.accepted : 0;
  report.run = std::move(run);
  return report;
}

}  // namespace

uint32_t SaturateJobs(const SaturateOptions& options) {
  const uint32_t depth = options.card.depth != 0 ? options.card.depth : options.card.profile.depth;
  return static_cast<uint32_t>(std::max(1.0, std::round(options.overload * depth)));
}

Expected<std::vector<SaturateReport>> RunSaturate(const SaturateOptions& options) {
  const auto ideal = IdealThroughput(options.card, options.operation, options.size_bytes);
  if (!ideal) return hwsim::Unexpected(ideal.error());
  const auto factory = load::OperationFactory::Create(options.operation, options.size_bytes);
  if (!factory) return hwsim::Unexpected(factory.error());
  const double runs = static_cast<double>(options.completions.size() * options.notifies.size() *
                                          options.retries.size());
  double run_index = 0;
  std::vector<SaturateReport> reports;
  for (const hwsim::completion::CompletionMode completion : options.completions) {
    for (const engine::RetryPolicy retry : options.retries) {
      for (const load::Notify notify : options.notifies) {
        MeasuredRunOptions run{.completion = completion,
                               .notify = notify,
                               .retry = retry,
                               .operation = options.operation,
                               .concurrency = SaturateJobs(options),
                               .requests = options.requests,
                               .progress = {}};
        if (options.progress) {
          const std::string what =
              fmt::format("{}, {}, {}", hwsim::completion::CompletionModeName(completion),
                          engine::RetryPolicyName(retry), load::NotifyName(notify));
          run.progress = [&, what](uint64_t finished) {
            const double part =
                static_cast<double>(finished) / static_cast<double>(options.requests);
            options.progress(what, (run_index + part) / runs);
          };
        }
        auto report = RunOnce(options.card, *factory, run);
        if (!report) return hwsim::Unexpected(std::move(report.error()));
        reports.push_back(Summarise(std::move(*report), *ideal));
        ++run_index;
      }
    }
  }
  return reports;
}

std::string SaturateTable(const std::vector<SaturateReport>& reports) {
  std::vector<std::vector<std::string>> rows = {
      {"completion", "retry", "notify", "ops/s", "of ideal", "EAGAIN", "retries/op", "p50", "p99",
       "max", "fairness", "per job", "OK", "ERR", "lost", "duplicated"}};
  for (const SaturateReport& report : reports) {
    const RunReport& run = report.run;
    rows.push_back(
        {std::string(hwsim::completion::CompletionModeName(run.completion)),
         std::string(engine::RetryPolicyName(run.retry)), std::string(load::NotifyName(run.notify)),
         text::FormatCount(run.ops_per_s),
         std::isinf(report.ideal_ops_per_s)
             ? "-"
             : fmt::format("{:.0f} %", 100 * run.ops_per_s / report.ideal_ops_per_s),
         text::FormatCount(static_cast<double>(run.again)),
         fmt::format("{:.2f}", report.retries_mean), fmt::format("{:.0f}", report.retries.p50),
         fmt::format("{:.0f}", report.retries.p99), fmt::format("{:.0f}", report.retries.max),
         fmt::format("{:.4f}", report.fairness),
         fmt::format("{}..{}", report.job_finished_min, report.job_finished_max),
         text::FormatCount(static_cast<double>(run.ok)),
         text::FormatCount(static_cast<double>(run.err)), fmt::format("{}", report.lost),
         fmt::format("{}", report.duplicated)});
  }
  return text::FormatTable(rows, 3);
}

nlohmann::json ToJson(const SaturateReport& report) {
  nlohmann::json json = ToJson(report.run);
  json["ideal_ops_per_s"] = report.ideal_ops_per_s;
  json["fairness_jain"] = report.fairness;
  json["retries_per_op"] = {{"mean", report.retries_mean},
                            {"p50", report.retries.p50},
                            {"p90", report.retries.p90},
                            {"p99", report.retries.p99},
                            {"max", report.retries.max}};
  json["lost"] = report.lost;
  json["duplicated"] = report.duplicated;
  return json;
}

}  // namespace tools::bench
