// Scenario: jobs, an engine and a card that fails, in one thread under a virtual
// clock: what the application sees, and whether everything ends.
//
// The application is a well-behaved one: it resumes a job when its wait fd is readable or its
// callback was called, and tries a job again that was told EAGAIN and can be told nothing more. At
// the end of patience it cancels what is left.
// Threads: one, the caller's (a fault may call callbacks from another, which it waits for).
// Time: virtual, from zero; the same scenario gives the same result each time.
#ifndef GHOSTCARD_TOOLS_SCENARIO_H_
#define GHOSTCARD_TOOLS_SCENARIO_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "hwsim/model/profile.h"
#include "tools/workload.h"

namespace tools {

// How the application polls the engine, which notices completions in no other way.
enum class ScenarioPoll : uint8_t {
  kAlways,       // at every turn of its loop
  kHeuristic,    // when the engine thinks it worth while
  kOnInterrupt,  // when a queue pair's line has risen, and when the engine's watchdog is due
};

struct ScenarioOptions {
  hwsim::Profile card;
  uint32_t queue_pairs = 1;
  uint32_t depth = 0;  // 0: the profile's
  uint64_t seed = 1;

  engine::Engine::Options engine;  // completion is inline whatever it says
  Notify notify = Notify::kFd;
  ScenarioPoll poll = ScenarioPoll::kAlways;
  bool synchronous = false;  // without jobs: one operation after the other
  uint32_t jobs = 4;         // at a time, each on its queue pair, in turn
  uint32_t operations = 16;  // of each job, one after the other: SHA-256 of a message of its own
  bool tamper = false;       // AES-GCM decryption of a forged message instead, which is to fail
  // The application frees the wait context of every job at this time, and resumes them all after.
  std::optional<hwsim::Duration> free_contexts_at;
  // It gives up and cancels what is left.
  hwsim::Duration patience = std::chrono::seconds(10);
};

struct ScenarioResult {
  // Outcomes by name ("ok", "device_error", ...), and beside them "wrong": ok, and the result is
  // not the software's; "stuck": of the cancelled, those that the application gave up at the end
  // of its patience; what the application saw ("again", "err", "wakes", "callbacks", "spurious"),
  // what the engine counted ("retried", "in_software", "late", "resets", "false_alarms",
  // "told_again") and the card ("faults", "interrupts"). A name that is not there is 0.
  std::map<std::string, uint64_t> counts;
  hwsim::Duration took{};           // virtual, until the last job ended
  std::vector<std::string> broken;  // rules that did not hold; none is well
  std::string fault_log;

  uint64_t count(std::string_view name) const {
    const auto found = counts.find(std::string(name));
    return found == counts.end() ? 0 : found->second;
  }
};

// Fails when the card does not come up.
hwsim::Expected<ScenarioResult> RunScenario(const ScenarioOptions& options);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SCENARIO_H_
