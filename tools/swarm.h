// Swarm: a scenario drawn from a seed: how deep and how many, what runs, how long it takes, how
// the application polls and is told, what the engine recovers from, and some of the faults.
//
// Threads: any. The same seed gives the same scenario on every machine.
#ifndef GHOSTCARD_TOOLS_SWARM_H_
#define GHOSTCARD_TOOLS_SWARM_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "tools/scenario.h"

namespace tools {

ScenarioOptions DrawScenario(uint64_t seed);

// A decimal number, 0x and up to 16 hexadecimal digits, or a commit hash: 7 to 64 hexadecimal
// digits, of which the first 16 count. Digits alone, of which there are at most 20, are a decimal
// number. None: it is none of these.
std::optional<uint64_t> ParseSeed(std::string_view text);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SWARM_H_
