// SweepNth: runs a scenario once for each place where a fault can strike.
//
// Threads: the caller's.
#ifndef GHOSTCARD_HWSIM_TESTING_FAULT_SWEEP_H_
#define GHOSTCARD_HWSIM_TESTING_FAULT_SWEEP_H_

#include <cstdint>

#include "hwsim/faults/fault_plan.h"

namespace hwsim::testing {

// Calls run(rule) with rule.nth = 1, 2, 3 ... until run returns 0: the scenario ended before the
// Nth place. `run` plays a whole small scenario from its start and returns how often the fault
// fired. Returns the number of runs in which it fired. Requires: `rule` has no other trigger.
template <typename Run>
uint64_t SweepNth(faults::FaultRule rule, Run run, uint64_t nth_max = 1'000'000) {
  for (rule.nth = 1; rule.nth <= nth_max; ++rule.nth) {
    if (run(static_cast<const faults::FaultRule&>(rule)) == 0) break;
  }
  return rule.nth - 1;
}

}  // namespace hwsim::testing

#endif  // GHOSTCARD_HWSIM_TESTING_FAULT_SWEEP_H_
