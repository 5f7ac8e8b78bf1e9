#include "tools/bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "tools/text/environment.h"
#include "tools/text/table.h"

namespace tools::bench {

std::string BenchTable(std::span<const RunReport> reports) {
  std::vector<std::vector<std::string>> speed = {{"operation", "completion", "notify", "ops/s",
                                                  "min..max", "p50", "p90", "p99", "p99.9",
                                                  "CPU/op", "syscalls/op", "wakeups/op"}};
  std::vector<std::vector<std::string>> split = {
      {"operation", "completion", "notify", "queueing p50", "p99", "service p50", "p99",
       "notification p50", "p99", "card late, mean", "OK", "EAGAIN", "ERR"}};
  for (const RunReport& report : reports) {
    const std::vector<std::string> name = {
        std::string(hwsim::operations::OperationName(report.operation)),
        std::string(hwsim::completion::CompletionModeName(report.completion)),
        std::string(load::NotifyName(report.notify))};
    auto& a = speed.emplace_back(name);
    a.insert(
        a.end(),
        {text::FormatCount(report.ops_per_s),
         text::FormatCount(report.ops_per_s_min) + ".." + text::FormatCount(report.ops_per_s_max),
         text::FormatNanoseconds(report.latency_ns.p50),
         text::FormatNanoseconds(report.latency_ns.p90),
         text::FormatNanoseconds(report.latency_ns.p99),
         text::FormatNanoseconds(report.latency_ns.p99_9),
         text::FormatNanoseconds(report.cpu_ns_per_op),
         report.syscalls_per_completion ? fmt::format("{:.2f}", *report.syscalls_per_completion)
                                        : "-",
         fmt::format("{:.3f}", report.wakeups_per_completion)});
    auto& b = split.emplace_back(name);
    b.insert(b.end(), {text::FormatNanoseconds(report.queueing_ns.p50),
                       text::FormatNanoseconds(report.queueing_ns.p99),
                       text::FormatNanoseconds(report.service_ns.p50),
                       text::FormatNanoseconds(report.service_ns.p99),
                       text::FormatNanoseconds(report.notification_ns.p50),
                       text::FormatNanoseconds(report.notification_ns.p99),
                       text::FormatNanoseconds(report.lateness_ns_mean),
                       text::FormatCount(static_cast<double>(report.ok)),
                       text::FormatCount(static_cast<double>(report.again)),
                       text::FormatCount(static_cast<double>(report.err))});
  }
  return text::FormatTable(speed, 3) + "\nWhere the time goes:\n" + text::FormatTable(split, 3);
}

namespace {

std::string Sentence(const NotifyComparison& comparison) {
  using Verdict = NotifyComparison::Verdict;
  switch (comparison.verdict) {
    case Verdict::kFailed:
      return "not compared, as operations failed";
    case Verdict::kOneRepetition:
      return fmt::format("callback at {:.2f}x of fd, in one repetition", comparison.ratio);
    case Verdict::kNoDifference:
      return fmt::format("no difference beyond the noise ({:.2f}x)", comparison.ratio);
    case Verdict::kCallback:
      return fmt::format("callback won by {:.2f}x", comparison.ratio);
    case Verdict::kFd:
      break;
  }
  return fmt::format("fd won by {:.2f}x", 1 / comparison.ratio);
}

}  // namespace

std::string BenchVerdict(std::span<const RunReport> reports) {
  std::string text;
  for (const RunReport& fd : reports) {
    if (fd.notify != load::Notify::kFd) continue;
    const auto callback = std::find_if(reports.begin(), reports.end(), [&](const RunReport& other) {
      return other.notify == load::Notify::kCallback && other.operation == fd.operation &&
             other.completion == fd.completion;
    });
    if (callback == reports.end()) continue;
    if (!text.empty()) text += "; ";
    text += fmt::format("{}, {}: {}", hwsim::operations::OperationName(fd.operation),
                        hwsim::completion::CompletionModeName(fd.completion),
                        Sentence(Compare(fd, *callback)));
  }
  return text.empty() ? text : "In operations per second: " + text + ".";
}

namespace {

nlohmann::json ToJson(const Quantiles& quantiles) {
  return {{"p50", quantiles.p50},
          {"p90", quantiles.p90},
          {"p99", quantiles.p99},
          {"p99_9", quantiles.p99_9},
          {"max", quantiles.max}};
}

}  // namespace

nlohmann::json ToJson(const RunReport& report) {
  nlohmann::json json = {
      {"transport", report.transport},
      {"completion", hwsim::completion::CompletionModeName(report.completion)},
      {"notify", load::NotifyName(report.notify)},
      {"retry", engine::RetryPolicyName(report.retry)},
      {"operation", hwsim::operations::OperationName(report.operation)},
      {"concurrency", report.concurrency},
      {"depth", report.depth},
      {"repetitions", report.repetitions},
      {"requests", report.requests},
      {"ok", report.ok},
      {"again", report.again},
      {"err", report.err},
      {"ops_per_s", report.ops_per_s},
      {"ops_per_s_min", report.ops_per_s_min},
      {"ops_per_s_max", report.ops_per_s_max},
      {"latency_ns", ToJson(report.latency_ns)},
      {"phase_ns",
       {{"queueing", ToJson(report.queueing_ns)},
        {"service", ToJson(report.service_ns)},
        {"notification", ToJson(report.notification_ns)}}},
      {"cpu_ns_per_op", report.cpu_ns_per_op},
      {"wakeups_per_completion", report.wakeups_per_completion},
      {"syscalls_per_completion", nullptr},
      {"card_lateness_ns", {{"mean", report.lateness_ns_mean}, {"max", report.lateness_ns_max}}}};
  if (report.syscalls_per_completion) {
    json["syscalls_per_completion"] = *report.syscalls_per_completion;
  }
  return json;
}

nlohmann::json ToJson(std::span<const RunReport> reports) {
  nlohmann::json environment;
  for (const auto& [name, value] : text::Environment()) environment[name] = value;
  nlohmann::json runs = nlohmann::json::array();
  for (const RunReport& report : reports) runs.push_back(ToJson(report));
  return {{"environment", std::move(environment)}, {"runs", std::move(runs)}};
}

}  // namespace tools::bench
