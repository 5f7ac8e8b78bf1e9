// Simulate: whole-system runs on the virtual card, one for each seed (swarm.h), in worker
// processes: a run that crashes takes its worker with it, and the seed is known.
//
// Threads: one, the caller's, which has no others: the workers are forked.
// Limits: real time for one seed, kSeedTimeMax: then it is held to make no progress.
#ifndef GHOSTCARD_TOOLS_SIMULATE_H_
#define GHOSTCARD_TOOLS_SIMULATE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/error.h"
#include "tools/event_log.h"
#include "tools/scenario.h"

namespace tools {

enum class Verdict : uint8_t {
  kGood,
  kBroken,   // a rule did not hold
  kStuck,    // no progress: not everything ended in its time
  kCrashed,  // the process died, as by a failed CHECK or a signal
};
std::string_view VerdictName(Verdict verdict);  // "good", "broken invariant", ...

struct SeedRange {
  uint64_t first = 1;
  uint64_t last = 1;  // included
  // Of these, every shards-th, beginning with the one at index `shard`.
  uint64_t shard = 0;
  uint64_t shards = 1;

  uint64_t count() const { return (last - first + shards - shard) / shards; }
};

struct SimulateOptions {
  SeedRange seeds;
  uint32_t workers = 1;
  // Where the one seed's log goes; empty: nowhere. Requires: one seed, if not empty.
  std::string log;
  // Called now and then with the number of seeds that are done; may be empty.
  std::function<void(uint64_t done)> progress;
};

struct SeedFailure {
  uint64_t seed = 0;
  Verdict verdict{};
  std::string what;
};

struct SimulateReport {
  uint64_t seeds = 0;  // that were run to their end
  uint64_t hash = 0;   // of all their event logs, whatever the order they ran in; of one: its own
  // "operations", "events", the outcomes, "fault KIND", "reached MARK" (hwsim/rare.h).
  std::map<std::string, uint64_t> counts;
  // The first seed in the range that fails; all before it were run.
  std::optional<SeedFailure> failure;
};

inline constexpr std::chrono::seconds kSeedTimeMax{30};

// Fails when processes or files cannot be had.
hwsim::Expected<SimulateReport> RunSimulate(const SimulateOptions& options);

// What became of one scenario.
struct ScenarioTrial {
  Verdict verdict{};
  std::string what;           // of a failure
  uint64_t hash = 0;          // of its events
  std::vector<Event> events;  // up to the failure, if asked for
};
// Runs it in a process of its own. Fails when that cannot be had, or the card does not come up.
hwsim::Expected<ScenarioTrial> TryScenario(const ScenarioOptions& options, bool with_events);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SIMULATE_H_
