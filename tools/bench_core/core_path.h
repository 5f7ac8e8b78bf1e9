// The whole path of a request in a server: start a job, submit, pause, complete, notify, resume,
// finish. It does less than a job load, whose clock readings and samples would dominate the
// measurement.
//
// Threads: the caller's thread, which is the application's and polls, and the card's threads.
#ifndef GHOSTCARD_TOOLS_BENCH_CORE_CORE_PATH_H_
#define GHOSTCARD_TOOLS_BENCH_CORE_CORE_PATH_H_

#include <benchmark/benchmark.h>

#include <cstdint>

#include "hwsim/rings/transport.h"
#include "tools/load/notify.h"

namespace tools::bench_core {

struct PathOptions {
  hwsim::rings::TransportKind transport = hwsim::rings::TransportKind::kMemory;
  load::Notify notify = load::Notify::kCallback;
  uint32_t in_flight = 256;  // jobs under way at a time, each with a request
  uint32_t contexts = 256;   // used in turn; at least in_flight
  uint32_t other_jobs = 0;   // further jobs, which stay paused
  uint32_t queue_pairs = 1;
};

// An iteration is one job with its request.
void PathLoop(benchmark::State& state, const PathOptions& options);

}  // namespace tools::bench_core

#endif  // GHOSTCARD_TOOLS_BENCH_CORE_CORE_PATH_H_
