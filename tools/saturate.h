// Saturate: a queue pair driven past its depth, for each way to tell a job that there is space
// again and each way to tell it that it is done.
#ifndef GHOSTCARD_TOOLS_SATURATE_H_
#define GHOSTCARD_TOOLS_SATURATE_H_

#include <functional>
#include <string>
#include <vector>

#include "tools/bench.h"

namespace tools {

struct SaturateOptions {
  CardOptions card;
  std::vector<hwsim::CompletionMode> completions;
  std::vector<Notify> notifies;
  std::vector<engine::RetryPolicy> retries;
  hwsim::OperationKind operation = hwsim::OperationKind::kRsa2048Sign;
  uint32_t size_bytes = 1024;
  double overload = 4;  // jobs under way for each slot of the queue pair
  uint64_t requests = 50'000;
  std::function<void(const std::string& what, double fraction)> progress;
};

// How many jobs are under way: the overload times the depth.
uint32_t SaturateJobs(const SaturateOptions& options);

struct SaturateReport {
  RunReport run;
  double ideal_ops_per_s = 0;  // the model alone, its depth always full, no one to tell
  double fairness = 0;         // Jain's index over jobs: 1: all alike; 1/n: one has it all
  uint64_t job_finished_min = 0, job_finished_max = 0;
  Quantiles retries;
  double retries_mean = 0;
  uint64_t lost = 0;        // accepted and never completed
  uint64_t duplicated = 0;  // completed more often than accepted, or finished more than started
};

// Requests per second of virtual time that the model serves with `depth` always in flight.
hwsim::Expected<double> IdealThroughput(const CardOptions& card, hwsim::OperationKind operation,
                                        uint32_t size_bytes);

// (sum x)^2 / (n * sum x^2). 1 when there are no values.
double JainIndex(const std::vector<uint64_t>& values);

hwsim::Expected<std::vector<SaturateReport>> RunSaturate(const SaturateOptions& options);

std::string SaturateTable(const std::vector<SaturateReport>& reports);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SATURATE_H_
