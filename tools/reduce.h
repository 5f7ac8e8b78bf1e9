// Reduce: makes a scenario that fails smaller, as long as it fails the same way: fewer faults,
// fewer requests, and whatever else can be left out.
//
// Threads: one, the caller's, which has no others: each try is a process of its own.
#ifndef GHOSTCARD_TOOLS_REDUCE_H_
#define GHOSTCARD_TOOLS_REDUCE_H_

#include <cstdint>
#include <functional>

#include "tools/scenario.h"
#include "tools/simulate.h"

namespace tools {

struct Reduction {
  ScenarioOptions options;
  uint32_t tries = 0;
};

// Requires: `options` fails. `fails_alike` says whether another scenario does.
Reduction Reduce(const ScenarioOptions& options,
                 const std::function<bool(const ScenarioOptions&)>& fails_alike,
                 uint32_t tries_max = 1000);

// The same verdict, and the same rule where one was broken, whatever jobs and numbers it names.
bool FailsAlike(const ScenarioTrial& one, const ScenarioTrial& other);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_REDUCE_H_
