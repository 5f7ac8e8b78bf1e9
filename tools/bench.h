// Bench: the same workload through every chosen way to notice a completion and to tell the
// waiting job, side by side, repeated in turn; each row is the median repetition.
//
// Threads: Run on the caller's, which becomes the application's thread.
#ifndef GHOSTCARD_TOOLS_BENCH_H_
#define GHOSTCARD_TOOLS_BENCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "hwsim/completion_service.h"
#include "hwsim/model/profile.h"
#include "hwsim/rings/transport.h"
#include "tools/workload.h"

namespace tools {

// What every run of every subcommand is made from.
struct CardOptions {
  hwsim::Profile profile;
  hwsim::TransportKind transport = hwsim::TransportKind::kAuto;
  uint32_t depth = 0;  // 0: the profile's
  uint32_t queue_pairs = 1;
  uint32_t execution_threads = 0;  // 0: one per processor
  bool do_work = true;             // false: modelled time only, no result
  uint64_t seed = 1;
  hwsim::Duration poll_interval = std::chrono::microseconds(10);
};

struct BenchOptions {
  CardOptions card;
  std::vector<hwsim::CompletionMode> completions;
  std::vector<Notify> notifies;
  std::vector<hwsim::OperationKind> operations;
  uint32_t concurrency = 64;
  uint64_t requests = 0;  // per run; 0: chosen so that a run takes about `run_time`
  uint32_t size_bytes = 1024;
  uint32_t repetitions = 3;
  hwsim::Duration run_time = std::chrono::milliseconds(1000);
  // Told what is under way; may be empty.
  std::function<void(const std::string& what, double fraction)> progress;
};

struct Quantiles {
  double p50 = 0, p90 = 0, p99 = 0, p99_9 = 0, max = 0;
};
// Exact quantiles of `values`, which it reorders. All zero when there are none.
Quantiles QuantilesOf(std::vector<uint32_t>& values);

// One run, or the median of several.
struct RunReport {
  std::string transport;
  std::string transport_note;  // why not io_uring, if `auto` chose otherwise
  hwsim::CompletionMode completion{};
  Notify notify{};
  engine::RetryPolicy retry{};
  hwsim::OperationKind operation{};
  uint32_t concurrency = 0, depth = 0, repetitions = 1;
  uint64_t requests = 0, ok = 0, again = 0, err = 0;
  double ops_per_s = 0, ops_per_s_min = 0, ops_per_s_max = 0;
  Quantiles latency_ns, queueing_ns, service_ns, notification_ns;
  double cpu_ns_per_op = 0;
  double wakeups_per_completion = 0;  // times a thread of the process went to sleep
  std::optional<double>
      syscalls_per_completion;  // counted in a run of its own; none: not permitted
  double lateness_ns_mean = 0, lateness_ns_max = 0;  // completed later than the model said
  // For saturate.
  std::vector<uint32_t> retries;
  std::vector<uint64_t> finished_per_job;
  engine::Engine::Stats engine;
};

struct RunOptionsOf {
  hwsim::CompletionMode completion{};
  Notify notify{};
  engine::RetryPolicy retry = engine::RetryPolicy::kWhenSpace;
  hwsim::OperationKind operation{};
  uint32_t concurrency = 64;
  uint64_t requests = 0;
  std::function<void(uint64_t finished)> progress;
};
// Makes a card and an engine, runs the workload once, and takes both down.
hwsim::Expected<RunReport> RunOnce(const CardOptions& card, const OperationFactory& operations,
                                   const RunOptionsOf& options);

// Counts the system calls of this process and its threads to come, where the kernel lets it.
class SyscallCounter {
 public:
  SyscallCounter();
  // None: perf_event_open or tracefs refused; why() says which.
  std::optional<uint64_t> count() const;
  const std::string& why() const { return why_; }

 private:
  hwsim::UniqueFd fd_;
  std::string why_;
};

hwsim::Expected<std::vector<RunReport>> RunBench(const BenchOptions& options);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_BENCH_H_
