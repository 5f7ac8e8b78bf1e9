// SweepNth: one fault at every place where it can strike, one run for each.
//
// Threads: the caller's.
#ifndef GHOSTCARD_HWSIM_MODEL_FAULT_SWEEP_H_
#define GHOSTCARD_HWSIM_MODEL_FAULT_SWEEP_H_

#include <cstdint>

#include "hwsim/model/fault_plan.h"

namespace hwsim {

// Calls run(rule) with rule.nth = 1, 2, 3 ... until it answers that the fault did not fire: the
// scenario is over before there is an Nth. Returns how often it fired. `run` is the whole of a
// small scenario, made anew, and answers how often the fault fired. Requires: no other trigger.
template <typename Run>
uint64_t SweepNth(FaultRule rule, Run run, uint64_t nth_max = 1'000'000) {
  for (rule.nth = 1; rule.nth <= nth_max; ++rule.nth) {
    if (run(static_cast<const FaultRule&>(rule)) == 0) break;
  }
  return rule.nth - 1;
}

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_FAULT_SWEEP_H_
