// Saturate: more jobs than a queue pair has slots, once for each completion mode, retry policy and
// notification.
//
// Threads: RunSaturate runs on the caller's thread, which is the application's thread of the loads.
#ifndef GHOSTCARD_TOOLS_BENCH_SATURATE_H_
#define GHOSTCARD_TOOLS_BENCH_SATURATE_H_

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "hwsim/base/error.h"
#include "tools/bench/measured_run.h"
#include "tools/load/card_options.h"
#include "tools/load/notify.h"

namespace tools::bench {

struct SaturateOptions {
  load::CardOptions card;
  std::vector<hwsim::completion::CompletionMode> completions;
  std::vector<load::Notify> notifies;
  std::vector<engine::RetryPolicy> retries;
  hwsim::operations::OperationKind operation = hwsim::operations::OperationKind::kRsa2048Sign;
  uint32_t size_bytes = 1024;
  double overload = 4;         // jobs under way for each slot of the queue pair
  uint64_t requests = 50'000;  // per run
  // Called often with what runs and the part of all runs that is done; may be empty.
  std::function<void(const std::string& what, double fraction)> progress;
};

// How many jobs are under way: the overload times the depth.
uint32_t SaturateJobs(const SaturateOptions& options);

struct SaturateReport {
  RunReport run;
  double ideal_ops_per_s = 0;  // see IdealThroughput
  double fairness = 0;         // Jain's index over jobs; 1: all are equal, 1/n: one got everything
  uint64_t job_finished_min = 0, job_finished_max = 0;
  Quantiles retries;
  double retries_mean = 0;
  uint64_t lost = 0;        // accepted and never completed
  uint64_t duplicated = 0;  // completions beyond the accepted requests
};

// Requests per second of virtual time that the card's model alone serves with a full queue pair:
// no jobs, no notification, no faults. Infinite when the model has no limit.
hwsim::Expected<double> IdealThroughput(const load::CardOptions& card,
                                        hwsim::operations::OperationKind operation,
                                        uint32_t size_bytes);

// (sum x)^2 / (n * sum x^2). 1 when there are no values.
double JainIndex(const std::vector<uint64_t>& values);

// Fails when the card, the engine or the load does.
hwsim::Expected<std::vector<SaturateReport>> RunSaturate(const SaturateOptions& options);

std::string SaturateTable(const std::vector<SaturateReport>& reports);
nlohmann::json ToJson(const SaturateReport& report);

}  // namespace tools::bench

#endif  // GHOSTCARD_TOOLS_BENCH_SATURATE_H_
