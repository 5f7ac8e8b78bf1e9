// OperationMix: makes the operations that the simulated jobs run, each with a message of its own.
//
// Threads: one. Ownership: `options` and `random` outlive the mix.
#ifndef GHOSTCARD_TOOLS_SCENARIO_OPERATION_MIX_H_
#define GHOSTCARD_TOOLS_SCENARIO_OPERATION_MIX_H_

#include <cstdint>

#include "hwsim/base/random.h"
#include "tools/scenario/scenario_options.h"
#include "tools/scenario/simulated_job.h"

namespace tools::scenario {

class OperationMix {
 public:
  OperationMix(const ScenarioOptions& options, hwsim::Random& random)
      : options_(options), random_(random) {}

  // Gives `job` its next operation, the run's `number`th: the message, the operation, and the same
  // work in software. The kind is drawn from the options' mix. `may_forge`: the options' `tamper`
  // applies.
  void MakeNext(SimulatedJob& job, uint64_t number, bool may_forge);

 private:
  const ScenarioOptions& options_;
  hwsim::Random& random_;
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_OPERATION_MIX_H_
