// Simulate: runs the whole system on the virtual card, once for each seed (swarm.h), in worker
// processes. A run that crashes ends only its worker, and the parent knows the seed.
//
// Threads: one. The process has no other threads, because the workers are forked.
// Limits: a seed may take kSeedTimeMax of real time; after that it counts as no progress.
#ifndef GHOSTCARD_TOOLS_SIMULATE_SIMULATE_H_
#define GHOSTCARD_TOOLS_SIMULATE_SIMULATE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/base/enum_names.h"
#include "hwsim/base/error.h"
#include "tools/scenario/event_log.h"
#include "tools/scenario/scenario_options.h"

namespace tools::simulate {

enum class Verdict : uint8_t {
  kGood,
  kBroken,   // an invariant did not hold
  kStuck,    // no progress: operations were left when patience was over
  kCrashed,  // the process died, for example by a failed CHECK or a signal
};
std::string_view VerdictName(Verdict verdict);  // "good", "broken invariant", ...

struct SeedRange {
  uint64_t first = 1;
  uint64_t last = 1;  // included
  // Runs only every `shards`th seed, beginning with the one at index `shard`.
  uint64_t shard = 0;
  uint64_t shards = 1;

  uint64_t count() const { return (last - first + shards - shard) / shards; }
};

struct SimulateOptions {
  SeedRange seeds;
  uint32_t workers = 1;
  // The file for the log of the seed; empty: no log. Requires: one seed, if not empty.
  std::string log;
  // Called from time to time with the number of seeds that are done; may be empty.
  std::function<void(uint64_t done)> progress;
};

struct SeedFailure {
  uint64_t seed = 0;
  Verdict verdict{};
  std::string what;
};

struct SimulateReport {
  uint64_t seeds = 0;  // run to their end
  uint64_t hash = 0;  // over the event logs of all seeds, in any order; of one seed: its log's hash
  // "operations", "events", the outcomes, "fault KIND", "reached MARK"
  // (hwsim/base/coverage_mark.h).
  std::map<std::string, uint64_t> counts;
  // The lowest seed that failed. Every seed before it was run.
  std::optional<SeedFailure> failure;
};

inline constexpr std::chrono::seconds kSeedTimeMax{30};

// Fails when a process cannot be started or a file cannot be written.
hwsim::Expected<SimulateReport> RunSimulate(const SimulateOptions& options);

// The verdict on one scenario.
struct ScenarioTrial {
  Verdict verdict{};
  std::string what;                     // of a failure
  uint64_t hash = 0;                    // of its events
  std::vector<scenario::Event> events;  // up to the failure; empty unless they were asked for
};
// Runs the scenario in a process of its own. Fails when the process cannot be started, or the card
// does not come up.
hwsim::Expected<ScenarioTrial> TryScenario(const scenario::ScenarioOptions& options,
                                           bool with_events);

}  // namespace tools::simulate

template <>
inline constexpr auto hwsim::kNamesOf<tools::simulate::Verdict> =
    std::to_array<hwsim::EnumName<tools::simulate::Verdict>>({
        {tools::simulate::Verdict::kGood, "good"},
        {tools::simulate::Verdict::kBroken, "broken invariant"},
        {tools::simulate::Verdict::kStuck, "no progress"},
        {tools::simulate::Verdict::kCrashed, "crash"},
    });

#endif  // GHOSTCARD_TOOLS_SIMULATE_SIMULATE_H_
