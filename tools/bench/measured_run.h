// Measured run: one card, one engine and one job load, from beginning to end, with its figures.
//
// Threads: RunOnce runs on the caller's thread, which is the application's thread of the load.
#ifndef GHOSTCARD_TOOLS_BENCH_MEASURED_RUN_H_
#define GHOSTCARD_TOOLS_BENCH_MEASURED_RUN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "hwsim/base/error.h"
#include "hwsim/completion/completion_service.h"
#include "hwsim/operations/request.h"
#include "tools/load/card_options.h"
#include "tools/load/notify.h"
#include "tools/load/operation_factory.h"

namespace tools::bench {

struct Quantiles {
  double p50 = 0, p90 = 0, p99 = 0, p99_9 = 0, max = 0;
};
// Exact quantiles of `values`, which it sorts. All are 0 when there are no values.
Quantiles QuantilesOf(std::vector<uint32_t>& values);

// One run, or the median of several (see MedianRun in bench.h).
struct RunReport {
  std::string transport;
  std::string transport_note;  // why not io_uring, when `auto` chose the memory transport
  hwsim::completion::CompletionMode completion{};
  load::Notify notify{};
  engine::RetryPolicy retry{};
  hwsim::operations::OperationKind operation{};
  uint32_t concurrency = 0, depth = 0, repetitions = 1;
  uint64_t requests = 0, ok = 0, again = 0, err = 0;  // see JobLoadResult
  // Successful requests per second; min and max of the repetitions.
  double ops_per_s = 0, ops_per_s_min = 0, ops_per_s_max = 0;
  Quantiles latency_ns, queueing_ns, service_ns, notification_ns;
  double cpu_ns_per_op = 0;           // of the whole process
  double wakeups_per_completion = 0;  // times a thread of the process went to sleep
  // Counted in a run of its own; nullopt: the kernel did not permit counting.
  std::optional<double> syscalls_per_completion;
  // How much later than the model's time the card completed requests.
  double lateness_ns_mean = 0, lateness_ns_max = 0;
  // For saturate.
  std::vector<uint32_t> retries;
  std::vector<uint64_t> finished_per_job;
  engine::Engine::Stats engine;
};

struct MeasuredRunOptions {
  hwsim::completion::CompletionMode completion{};
  load::Notify notify{};
  engine::RetryPolicy retry = engine::RetryPolicy::kWhenSpace;
  hwsim::operations::OperationKind operation{};
  uint32_t concurrency = 64;
  uint64_t requests = 0;
  std::function<void(uint64_t finished)> progress;
};
// Makes a card and an engine, runs the load once, and destroys both. Fails when the card, the
// engine or the load does.
hwsim::Expected<RunReport> RunOnce(const load::CardOptions& card,
                                   const load::OperationFactory& operations,
                                   const MeasuredRunOptions& options);

}  // namespace tools::bench

#endif  // GHOSTCARD_TOOLS_BENCH_MEASURED_RUN_H_
