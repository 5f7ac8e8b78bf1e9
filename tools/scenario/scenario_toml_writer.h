// Writes a scenario as text from which ParseScenario (scenario_toml.h) reads an equal scenario.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_SCENARIO_SCENARIO_TOML_WRITER_H_
#define GHOSTCARD_TOOLS_SCENARIO_SCENARIO_TOML_WRITER_H_

#include <string>

#include "tools/scenario/scenario_options.h"

namespace tools::scenario {

// The scenario as TOML. Writes values that differ from their default, and a few others for people.
// Requires: options.card has no base profile.
std::string ScenarioToml(const ScenarioOptions& options);

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_SCENARIO_TOML_WRITER_H_
