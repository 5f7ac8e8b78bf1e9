// Bench: the same load through every chosen completion mode and notification, side by side. The
// repetitions alternate between the rows; each row's report is its median repetition.
//
// Threads: RunBench runs on the caller's thread, which is the application's thread of the loads.
#ifndef GHOSTCARD_TOOLS_BENCH_BENCH_H_
#define GHOSTCARD_TOOLS_BENCH_BENCH_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hwsim/base/clock.h"
#include "tools/bench/measured_run.h"
#include "tools/load/card_options.h"
#include "tools/load/notify.h"

namespace tools::bench {

struct BenchOptions {
  load::CardOptions card;
  std::vector<hwsim::completion::CompletionMode> completions;
  std::vector<load::Notify> notifies;
  std::vector<hwsim::operations::OperationKind> operations;
  uint32_t concurrency = 64;
  uint64_t requests = 0;  // per run; 0: chosen so that a run takes about `run_time`
  uint32_t size_bytes = 1024;
  uint32_t repetitions = 3;
  hwsim::Duration run_time = std::chrono::milliseconds(1000);
  // Called before each run with what it runs and the part of all runs that is done; may be empty.
  std::function<void(const std::string& what, double fraction)> progress;
};

// Returns one report for each operation, completion mode and notification, in this order of
// nesting. Fails when a run fails.
hwsim::Expected<std::vector<RunReport>> RunBench(const BenchOptions& options);

// The repetition with the median throughput, with the least and the largest throughput of all.
// For an even number of repetitions it is the faster one of the two in the middle.
// Requires: at least one repetition.
RunReport MedianRun(std::vector<RunReport> repetitions);

// How the callback's run compares with the fd's run.
struct NotifyComparison {
  enum class Verdict : uint8_t {
    kFailed,         // operations failed, so the figures are not compared
    kOneRepetition,  // one repetition each: the noise is unknown
    kNoDifference,   // the ranges of the repetitions overlap
    kCallback,       // callback is faster
    kFd,             // fd is faster
  } verdict{};
  double ratio = 0;  // throughput of callback divided by that of fd
};
NotifyComparison Compare(const RunReport& fd, const RunReport& callback);

}  // namespace tools::bench

#endif  // GHOSTCARD_TOOLS_BENCH_BENCH_H_
