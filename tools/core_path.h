// The whole way of a request as a server takes it: start a job, submit, pause, complete, notify,
// resume, finish. Leaner than workload.h, whose clock readings and samples would be most of what
// is to be measured.
//
// Threads: the caller's, which is the application's and polls; the card's.
#ifndef GHOSTCARD_TOOLS_CORE_PATH_H_
#define GHOSTCARD_TOOLS_CORE_PATH_H_

#include <benchmark/benchmark.h>

#include <cstdint>

#include "hwsim/rings/transport.h"
#include "tools/workload.h"

namespace tools {

struct PathOptions {
  hwsim::TransportKind transport = hwsim::TransportKind::kMemory;
  Notify notify = Notify::kCallback;
  uint32_t in_flight = 256;  // jobs under way at a time, each with a request
  uint32_t contexts = 256;   // used in turn; at least in_flight
  uint32_t other_jobs = 0;   // paused beside them, and never told
  uint32_t queue_pairs = 1;
};

// An iteration is one job with its request.
void PathLoop(benchmark::State& state, const PathOptions& options);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_CORE_PATH_H_
