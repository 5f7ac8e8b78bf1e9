// Scenario: jobs, an engine and a card that fails, on one thread under a virtual clock. It shows
// what an application sees, whether every operation ends, and whether the invariants hold.
//
// The application behaves well: it resumes a job when its wait fd is readable or its callback ran.
// It resumes a job by itself when the job waits for space and nothing can notify it. When patience
// is over it cancels what is left.
//
// The invariants (invariants.h) compare what card and engine do with two independent records:
// the application's own, and that of the RingAuditor between queue pairs and card.
//
// Threads: one, the caller's. A fault may run callbacks on another thread; the run waits for them.
// Limits: counts the process's descriptors before and after, so no other thread may open or close
// one during the run.
// Time: virtual, from zero. The same options give the same result each time.
#ifndef GHOSTCARD_TOOLS_SCENARIO_SCENARIO_H_
#define GHOSTCARD_TOOLS_SCENARIO_SCENARIO_H_

#include "hwsim/base/error.h"
#include "tools/scenario/scenario_options.h"

namespace tools::scenario {

// Runs the scenario to its end. Fails when the card does not come up.
hwsim::Expected<ScenarioResult> RunScenario(const ScenarioOptions& options,
                                            const ScenarioWatch& watch = {});

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_SCENARIO_H_
