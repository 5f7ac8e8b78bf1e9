// Scenario: jobs, an engine and a card that fails, in one thread under a virtual
// clock: what the application sees, whether everything ends, and whether the rules hold.
//
// The application is a well-behaved one: it resumes a job when its wait fd is readable or its
// callback was called, and tries a job again that was told EAGAIN and can be told nothing more. At
// the end of patience it cancels what is left. It keeps books of its own of what it submitted and
// was told, and a watcher between the queue pairs and the card keeps others (ring_books.h): the
// rules are held against those, not against what card and engine count.
// Threads: one, the caller's (a fault may call callbacks from another, which it waits for).
// Limits: descriptors are counted before and after: no other thread opens or closes any meanwhile.
// Time: virtual, from zero; the same scenario gives the same result each time.
#ifndef GHOSTCARD_TOOLS_SCENARIO_H_
#define GHOSTCARD_TOOLS_SCENARIO_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "hwsim/model/profile.h"
#include "tools/event_log.h"
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
  uint64_t seed = 1;   // of the card, and of what the application does by chance

  engine::Engine::Options engine;  // completion is inline whatever it says
  Notify notify = Notify::kFd;
  ScenarioPoll poll = ScenarioPoll::kAlways;
  uint32_t poll_quota = 0;   // completions of a queue pair that a poll takes; 0: all
  bool synchronous = false;  // without jobs: one operation after the other
  // In tasks (waitctx/coroutine.h) instead of jobs. One whose context is freed in the middle of an
  // operation may be destroyed with it.
  bool tasks = false;
  // Without engine and jobs: jobs * operations requests straight to the queue pairs, in lists and
  // batches of so many at the most; 0: not so. They have no work.
  uint32_t lists = 0;
  uint32_t jobs = 4;         // at a time, each on its queue pair, in turn
  uint32_t operations = 16;  // of each job, one after the other
  uint32_t size_bytes = 16;  // of each operation's input
  // What the jobs run, by chance: those that need no key of their own.
  std::vector<hwsim::OperationKind> mix = {hwsim::OperationKind::kSha256};
  bool tamper = false;  // AES-GCM decryption of a forged message instead, which is to fail

  // What the application does by chance: probabilities, 0 to 1.
  double cancel = 0;           // an operation is cancelled some time after it began
  double free_context = 0;     // the job's context is freed in the middle of an operation
  double in_place = 0;         // an operation waits in place
  double needless_resume = 0;  // a job is resumed at a turn though nobody told it
  double slow_resume = 0;      // a job that was told is left for another turn
  bool resume_in_callback = false;

  // The application frees the wait context of every job at this time, and resumes them all after.
  std::optional<hwsim::Duration> free_contexts_at;
  // The faults are over, as the plan has it: no new operations from here on, but all must end, and
  // then every slot of the card is used once more.
  std::optional<hwsim::Duration> faults_end;
  // It gives up and cancels what is left; counted from the end of the faults if there is one.
  hwsim::Duration patience = std::chrono::seconds(10);
};

// What happens while it runs, for who wants to know. May all be null or empty.
struct ScenarioWatch {
  EventLog* log = nullptr;
  // Called at once with each rule that did not hold, and where.
  std::function<void(const std::string& rule)> on_broken;
  // The same for patience that came to its end.
  std::function<void()> on_stuck;
};

struct ScenarioResult {
  // Outcomes by name ("ok", "device_error", ...), and beside them "wrong": ok, and the result is
  // not the software's; "stuck": of the cancelled, those that the application gave up at the end
  // of its patience; what the application saw ("again", "err", "wakes", "callbacks", "spurious"),
  // what the engine counted ("retried", "in_software", "late", "resets", "false_alarms",
  // "told_again") and the card ("faults", "interrupts"). A name that is not there is 0.
  std::map<std::string, uint64_t> counts;
  std::array<uint64_t, hwsim::kFaultKindCount> faults{};  // fired, by kind
  hwsim::Duration took{};                                 // virtual, until the last job ended
  std::vector<std::string> broken;                        // rules that did not hold; none is well
  std::string fault_log;
  uint64_t hash = 0;  // of the event log

  uint64_t count(std::string_view name) const {
    const auto found = counts.find(std::string(name));
    return found == counts.end() ? 0 : found->second;
  }
};

// Fails when the card does not come up.
hwsim::Expected<ScenarioResult> RunScenario(const ScenarioOptions& options,
                                            const ScenarioWatch& watch = {});

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SCENARIO_H_
