#include "tools/bench/bench.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "hwsim/base/check.h"
#include "tools/bench/syscall_counter.h"
#include "tools/load/operation_factory.h"

namespace tools::bench {

using hwsim::Expected;
using hwsim::completion::CompletionMode;
using hwsim::operations::OperationKind;

RunReport MedianRun(std::vector<RunReport> repetitions) {
  GHOSTCARD_CHECK(!repetitions.empty(), "there is no median of no repetitions");
  std::sort(repetitions.begin(), repetitions.end(),
            [](const RunReport& a, const RunReport& b) { return a.ops_per_s < b.ops_per_s; });
  RunReport median = repetitions[repetitions.size() / 2];
  median.repetitions = static_cast<uint32_t>(repetitions.size());
  median.ops_per_s_min = repetitions.front().ops_per_s;
  median.ops_per_s_max = repetitions.back().ops_per_s;
  return median;
}

NotifyComparison Compare(const RunReport& fd, const RunReport& callback) {
  using Verdict = NotifyComparison::Verdict;
  NotifyComparison comparison{.ratio = callback.ops_per_s / fd.ops_per_s};
  if (fd.err + callback.err != 0) {
    comparison.verdict = Verdict::kFailed;
  } else if (callback.ops_per_s_min == callback.ops_per_s_max &&
             fd.ops_per_s_min == fd.ops_per_s_max) {
    comparison.verdict = Verdict::kOneRepetition;
  } else if (callback.ops_per_s_min <= fd.ops_per_s_max &&
             fd.ops_per_s_min <= callback.ops_per_s_max) {
    comparison.verdict = Verdict::kNoDifference;
  } else {
    comparison.verdict = comparison.ratio >= 1 ? Verdict::kCallback : Verdict::kFd;
  }
  return comparison;
}

namespace {

struct Row {
  MeasuredRunOptions options;
  const load::OperationFactory* operations = nullptr;
  std::vector<RunReport> repetitions;
};

std::vector<Row> MakeRows(const BenchOptions& options,
                          const std::vector<load::OperationFactory>& factories) {
  std::vector<Row> rows;
  for (size_t i = 0; i < options.operations.size(); ++i) {
    for (const CompletionMode completion : options.completions) {
      for (const load::Notify notify : options.notifies) {
        rows.push_back({.options = {.completion = completion,
                                    .notify = notify,
                                    .operation = options.operations[i],
                                    .concurrency = options.concurrency,
                                    .requests = options.requests},
                        .operations = &factories[i]});
      }
    }
  }
  return rows;
}

std::string Describe(const Row& row) {
  std::string what(hwsim::operations::OperationName(row.options.operation));
  what += ", ";
  what += hwsim::completion::CompletionModeName(row.options.completion);
  what += ", ";
  what += load::NotifyName(row.options.notify);
  return what;
}

// How many requests take about `run_time`, estimated from short runs.
Expected<uint64_t> CalibrateRequests(const BenchOptions& options, const Row& row) {
  MeasuredRunOptions probe = row.options;
  double rate = 0;
  for (uint64_t requests = 4ull * options.concurrency;; requests *= 4) {
    probe.requests = requests;
    auto report = RunOnce(options.card, *row.operations, probe);
    if (!report) return hwsim::Unexpected(std::move(report.error()));
    rate = report->ops_per_s;
    if (static_cast<double>(requests) / rate > 0.05) break;
  }
  const double wanted = rate * std::chrono::duration<double>(options.run_time).count();
  return std::max<uint64_t>(static_cast<uint64_t>(wanted), options.concurrency);
}

// Counts in a run of its own, because counting slows each system call down.
std::optional<double> CountSyscalls(const BenchOptions& options, const Row& row) {
  const SyscallCounter counter;
  const auto before = counter.count();
  if (!before) return std::nullopt;
  MeasuredRunOptions probe = row.options;
  probe.requests = std::max<uint64_t>(row.options.requests / 8, options.concurrency);
  const auto report = RunOnce(options.card, *row.operations, probe);
  const auto after = counter.count();
  if (!report || !after) return std::nullopt;
  return static_cast<double>(*after - *before) / static_cast<double>(probe.requests);
}

}  // namespace

Expected<std::vector<RunReport>> RunBench(const BenchOptions& options) {
  std::vector<load::OperationFactory> factories;
  factories.reserve(options.operations.size());
  for (const OperationKind operation : options.operations) {
    auto factory = load::OperationFactory::Create(operation, options.size_bytes);
    if (!factory) return hwsim::Unexpected(std::move(factory.error()));
    factories.push_back(std::move(*factory));
  }
  std::vector<Row> rows = MakeRows(options, factories);
  const double steps = static_cast<double>(rows.size() * (options.repetitions + 1));
  double step = 0;
  const auto tell = [&](const Row& row) {
    if (options.progress) options.progress(Describe(row), step++ / steps);
  };
  std::vector<std::optional<double>> syscalls;
  for (Row& row : rows) {
    tell(row);
    if (row.options.requests == 0) {
      auto requests = CalibrateRequests(options, row);
      if (!requests) return hwsim::Unexpected(std::move(requests.error()));
      row.options.requests = *requests;
    }
    syscalls.push_back(CountSyscalls(options, row));
  }
  // The repetitions alternate between the rows, so that a drift of the machine's speed affects all
  // rows equally.
  for (uint32_t repetition = 0; repetition < options.repetitions; ++repetition) {
    for (Row& row : rows) {
      tell(row);
      auto report = RunOnce(options.card, *row.operations, row.options);
      if (!report) return hwsim::Unexpected(std::move(report.error()));
      row.repetitions.push_back(std::move(*report));
    }
  }
  std::vector<RunReport> reports;
  for (size_t i = 0; i < rows.size(); ++i) {
    reports.push_back(MedianRun(std::move(rows[i].repetitions)));
    reports.back().syscalls_per_completion = syscalls[i];
  }
  return reports;
}

}  // namespace tools::bench
