// Reduce: makes a failing scenario smaller while it still fails in the same way: fewer faults,
// fewer jobs and operations, and more options at their defaults.
//
// Threads: one. The process has no other threads, because each try is a forked process.
#ifndef GHOSTCARD_TOOLS_SIMULATE_REDUCE_H_
#define GHOSTCARD_TOOLS_SIMULATE_REDUCE_H_

#include <cstdint>
#include <functional>

#include "tools/scenario/scenario_options.h"
#include "tools/simulate/simulate.h"

namespace tools::simulate {

struct Reduction {
  scenario::ScenarioOptions options;
  uint32_t tries = 0;
};

// Tries at most `tries_max` scenarios and returns the smallest that fails. `fails_alike` says
// whether a scenario fails in the same way as `options`. Requires: `options` fails.
Reduction Reduce(const scenario::ScenarioOptions& options,
                 const std::function<bool(const scenario::ScenarioOptions&)>& fails_alike,
                 uint32_t tries_max = 1000);

// Whether both have the same verdict and the same message, apart from the numbers in it.
bool FailsAlike(const ScenarioTrial& one, const ScenarioTrial& other);

}  // namespace tools::simulate

#endif  // GHOSTCARD_TOOLS_SIMULATE_REDUCE_H_
