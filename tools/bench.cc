#include "tools/bench.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>

#include "hwsim/real_card.h"

namespace tools {

using hwsim::CompletionMode;
using hwsim::Expected;
using hwsim::OperationKind;

Quantiles QuantilesOf(std::vector<uint32_t>& values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double fraction) {
    const double rank = fraction * static_cast<double>(values.size() - 1);
    return static_cast<double>(values[static_cast<size_t>(std::lround(rank))]);
  };
  return {at(0.5), at(0.9), at(0.99), at(0.999), static_cast<double>(values.back())};
}

// --- one run ---

namespace {

template <typename Field>
Quantiles QuantilesOfField(const std::vector<PhaseSample>& samples, Field field) {
  std::vector<uint32_t> values;
  values.reserve(samples.size());
  for (const PhaseSample& sample : samples) values.push_back(sample.*field);
  return QuantilesOf(values);
}

}  // namespace

Expected<RunReport> RunOnce(const CardOptions& card_options, const OperationFactory& operations,
                            const RunOptionsOf& options) {
  auto card = hwsim::RealCard::Create({.profile = card_options.profile,
                                       .queue_pairs = card_options.queue_pairs,
                                       .depth = card_options.depth,
                                       .transport = card_options.transport,
                                       .execution_threads = card_options.execution_threads,
                                       .do_work = card_options.do_work,
                                       .seed = card_options.seed});
  if (!card) return hwsim::Unexpected(std::move(card.error()));
  RunReport report;
  report.transport = (*card)->transport_name();
  report.transport_note = (*card)->transport_note();
  report.depth = (*card)->queue_pairs()[0]->depth();
  auto engine =
      engine::Engine::Create(std::move(*card), {.completion = options.completion,
                                                .poll_interval = card_options.poll_interval,
                                                .retry = options.retry,
                                                .callback_when_space = true});
  if (!engine) return hwsim::Unexpected(std::move(engine.error()));
  auto result = RunWorkload(**engine, operations,
                            {.notify = options.notify,
                             .concurrency = options.concurrency,
                             .requests = options.requests,
                             .progress = options.progress});
  if (!result) return hwsim::Unexpected(std::move(result.error()));

  report.completion = options.completion;
  report.notify = options.notify;
  report.retry = options.retry;
  report.operation = options.operation;
  report.concurrency = options.concurrency;
  report.requests = result->finished;
  report.ok = result->ok;
  report.again = result->again;
  report.err = result->err;
  const double count = static_cast<double>(std::max<uint64_t>(result->finished, 1));
  report.ops_per_s =
      static_cast<double>(result->ok) / std::chrono::duration<double>(result->wall).count();
  report.ops_per_s_min = report.ops_per_s_max = report.ops_per_s;
  report.latency_ns = QuantilesOfField(result->samples, &PhaseSample::total_ns);
  report.queueing_ns = QuantilesOfField(result->samples, &PhaseSample::queueing_ns);
  report.service_ns = QuantilesOfField(result->samples, &PhaseSample::service_ns);
  report.notification_ns = QuantilesOfField(result->samples, &PhaseSample::notification_ns);
  report.cpu_ns_per_op = static_cast<double>(result->cpu.count()) / count;
  report.wakeups_per_completion = static_cast<double>(result->sleeps) / count;
  const hwsim::Card::Stats stats = (*engine)->card().stats();
  report.lateness_ns_mean = static_cast<double>(stats.lateness_total.count()) /
                            static_cast<double>(std::max<uint64_t>(stats.completed, 1));
  report.lateness_ns_max = static_cast<double>(stats.lateness_max.count());
  report.retries = std::move(result->retries);
  report.finished_per_job = std::move(result->finished_per_job);
  report.engine = (*engine)->stats();
  return report;
}

// --- system calls ---

SyscallCounter::SyscallCounter() {
  uint64_t id = 0;
  for (const char* path : {"/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
                           "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id"}) {
    if (std::ifstream(path) >> id) break;
  }
  if (id == 0) {
    why_ =
        "tracefs is not mounted or not readable; root can: mount -t tracefs tracefs "
        "/sys/kernel/tracing";
    return;
  }
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.size = sizeof attributes;
  attributes.config = id;
  attributes.inherit = 1;
  fd_ = hwsim::UniqueFd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!fd_.valid()) why_ = hwsim::SystemError("perf_event_open", errno).message;
}

std::optional<uint64_t> SyscallCounter::count() const {
  uint64_t value = 0;
  if (!fd_.valid() || ::read(fd_.get(), &value, sizeof value) != sizeof value) return std::nullopt;
  return value;
}

// --- the comparison ---

namespace {

struct Row {
  RunOptionsOf options;
  const OperationFactory* operations = nullptr;
  std::vector<RunReport> repetitions;
};

// How many requests take about `run_time`: a short run tells.
Expected<uint64_t> CalibrateRequests(const BenchOptions& options, const Row& row) {
  RunOptionsOf probe = row.options;
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

RunReport Median(std::vector<RunReport>& repetitions) {
  std::sort(repetitions.begin(), repetitions.end(),
            [](const RunReport& a, const RunReport& b) { return a.ops_per_s < b.ops_per_s; });
  RunReport median = repetitions[repetitions.size() / 2];
  median.repetitions = static_cast<uint32_t>(repetitions.size());
  median.ops_per_s_min = repetitions.front().ops_per_s;
  median.ops_per_s_max = repetitions.back().ops_per_s;
  return median;
}

// In a run of its own, because counting slows each call down.
std::optional<double> CountSyscalls(const BenchOptions& options, const Row& row) {
  const SyscallCounter counter;
  const auto before = counter.count();
  if (!before) return std::nullopt;
  RunOptionsOf probe = row.options;
  probe.requests = std::max<uint64_t>(row.options.requests / 8, options.concurrency);
  const auto report = RunOnce(options.card, *row.operations, probe);
  const auto after = counter.count();
  if (!report || !after) return std::nullopt;
  return static_cast<double>(*after - *before) / static_cast<double>(probe.requests);
}

}  // namespace

Expected<std::vector<RunReport>> RunBench(const BenchOptions& options) {
  std::vector<OperationFactory> factories;
  factories.reserve(options.operations.size());
  std::vector<Row> rows;
  for (const OperationKind operation : options.operations) {
    auto factory = OperationFactory::Create(operation, options.size_bytes);
    if (!factory) return hwsim::Unexpected(std::move(factory.error()));
    factories.push_back(std::move(*factory));
    for (const CompletionMode completion : options.completions) {
      for (const Notify notify : options.notifies) {
        rows.push_back({.options = {.completion = completion,
                                    .notify = notify,
                                    .operation = operation,
                                    .concurrency = options.concurrency,
                                    .requests = options.requests},
                        .operations = &factories.back()});
      }
    }
  }
  const double steps = static_cast<double>(rows.size() * (options.repetitions + 1));
  double step = 0;
  const auto tell = [&](const Row& row) {
    if (!options.progress) return;
    std::string what(hwsim::OperationName(row.options.operation));
    what += ", ";
    what += hwsim::CompletionModeName(row.options.completion);
    what += ", ";
    what += NotifyName(row.options.notify);
    options.progress(what, step++ / steps);
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
  // In turn, so that a drift of the machine's speed meets every row alike.
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
    reports.push_back(Median(rows[i].repetitions));
    reports.back().syscalls_per_completion = syscalls[i];
  }
  return reports;
}

}  // namespace tools
