// Writes a scenario as ParseScenario (scenario_toml.h) reads it: the same scenario, to the bit.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_SCENARIO_WRITE_H_
#define GHOSTCARD_TOOLS_SCENARIO_WRITE_H_

#include <string>

#include "tools/scenario.h"

namespace tools {

// Requires: options.card is no shipped profile with a base of its own; every value of it is
// written that is not the default.
std::string ScenarioToml(const ScenarioOptions& options);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SCENARIO_WRITE_H_
