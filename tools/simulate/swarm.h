// Swarm: draws a scenario from a seed: the card, the jobs and their operations, how the application
// polls and is notified, how the engine recovers, and some of the faults.
//
// Threads: any. A seed gives the same scenario on every machine.
#ifndef GHOSTCARD_TOOLS_SIMULATE_SWARM_H_
#define GHOSTCARD_TOOLS_SIMULATE_SWARM_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "tools/scenario/scenario_options.h"

namespace tools::simulate {

scenario::ScenarioOptions DrawScenario(uint64_t seed);

// Reads a decimal number of at most 20 digits, 0x with up to 16 hexadecimal digits, or a commit
// hash of 7 to 64 hexadecimal digits, of which the first 16 count. Text that can be read as a
// decimal number is one. Returns nullopt for other text.
std::optional<uint64_t> ParseSeed(std::string_view text);

}  // namespace tools::simulate

#endif  // GHOSTCARD_TOOLS_SIMULATE_SWARM_H_
