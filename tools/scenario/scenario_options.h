// What a scenario consists of (ScenarioOptions), how to watch it run (ScenarioWatch) and what comes
// of it (ScenarioResult).
//
// Threads: values; any. Time: virtual, from zero at the start of the run.
#ifndef GHOSTCARD_TOOLS_SCENARIO_SCENARIO_OPTIONS_H_
#define GHOSTCARD_TOOLS_SCENARIO_SCENARIO_OPTIONS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "hwsim/base/enum_names.h"
#include "hwsim/model/profile.h"
#include "hwsim/operations/request.h"
#include "tools/load/notify.h"
#include "tools/scenario/event_log.h"

namespace tools::scenario {

// When the application polls the engine. Polling is the only way in which completions are noticed.
enum class ScenarioPoll : uint8_t {
  kAlways,       // at every turn of the application's loop
  kHeuristic,    // at every turn, with Engine::PollHeuristically
  kOnInterrupt,  // when a queue pair raised an interrupt, and when the engine's watchdog is due
};

// The kinds of operation that jobs can run: those that need no key.
inline constexpr std::array<hwsim::operations::OperationKind, 6> kMixKinds = {
    hwsim::operations::OperationKind::kNull,      hwsim::operations::OperationKind::kCopy,
    hwsim::operations::OperationKind::kCrc32c,    hwsim::operations::OperationKind::kSha256,
    hwsim::operations::OperationKind::kAes128Gcm, hwsim::operations::OperationKind::kDeflate};

// The keys of a scenario file's [run] have these names too (SCENARIOS.md).
struct ScenarioOptions {
  hwsim::model::Profile card;
  uint32_t queue_pairs = 1;
  uint32_t depth = 0;  // 0: the profile's
  uint64_t seed = 1;   // of the card, and of the application's random choices

  engine::Engine::Options engine;  // `completion` is ignored: a scenario polls inline
  load::Notify notify = load::Notify::kFd;
  ScenarioPoll poll = ScenarioPoll::kAlways;
  uint32_t poll_quota = 0;   // completions of one queue pair that a poll takes; 0: all
  bool synchronous = false;  // no jobs: the application waits in place for each operation
  // Coroutine tasks (waitctx/coroutine.h) instead of jobs. When the context of a task is freed in
  // the middle of an operation, the task may be destroyed with it.
  bool tasks = false;
  // No engine and no jobs: jobs * operations requests go straight to the queue pairs, in lists and
  // batches of at most this length. They have no work. 0: use jobs instead.
  uint32_t lists = 0;
  uint32_t jobs = 4;         // at a time; they are dealt to the queue pairs in turn
  uint32_t operations = 16;  // of each job, one after the other
  uint32_t size_bytes = 16;  // of each operation's input
  // What the jobs choose from at random, of kMixKinds.
  std::vector<hwsim::operations::OperationKind> mix = {hwsim::operations::OperationKind::kSha256};
  bool tamper =
      false;  // instead: each operation decrypts a forged AES-GCM message, which must fail

  // What the application does at random: probabilities, 0 to 1.
  double cancel = 0;           // an operation is cancelled some time after its start
  double free_context = 0;     // the job's context is freed in the middle of an operation
  double in_place = 0;         // the job waits in place for an operation
  double needless_resume = 0;  // at each turn: a job is resumed without a notification
  double slow_resume = 0;      // at each turn: a notified job is left for the next turn
  bool resume_in_callback = false;

  // At this time the application frees the wait context of every job. It resumes the jobs after.
  std::optional<hwsim::Duration> free_contexts_at;
  // From this time on no fault fires (the fault plan has to say so too) and no operation starts.
  // When all operations have ended, every slot of the card is used once more.
  std::optional<hwsim::Duration> faults_end;
  // The application cancels what is left after this time, counted from faults_end if it is set.
  hwsim::Duration patience = std::chrono::seconds(10);
};

// Observers of a run. Each may be null or empty.
struct ScenarioWatch {
  EventLog* log = nullptr;
  // Called at once with each rule that did not hold, and where.
  std::function<void(const std::string& rule)> on_broken;
  // Called at once when `patience` is over and operations are left.
  std::function<void()> on_stuck;
};

struct ScenarioResult {
  // Operations by the name of their outcome ("ok", "device_error", ...), and:
  //   "wrong": outcome ok, but the result differs from software's;
  //   "stuck": of "cancelled", the operations that were left when `patience` was over;
  //   "again", "err", "wakes", "callbacks", "spurious": what the application saw;
  //   "retried", "in_software", "late", "resets", "false_alarms", "told_again", "left_on_card":
  //   what the engine counted;
  //   "faults", "interrupts": what the card counted.
  // A name without an entry counts 0.
  std::map<std::string, uint64_t> counts;
  std::array<uint64_t, hwsim::faults::kFaultKindCount> faults{};  // fired, by kind
  hwsim::Duration took{};           // virtual, until the last job ended
  std::vector<std::string> broken;  // rules that did not hold
  std::string fault_log;
  uint64_t hash = 0;  // of the event log

  uint64_t count(std::string_view name) const {
    const auto found = counts.find(std::string(name));
    return found == counts.end() ? 0 : found->second;
  }
};

}  // namespace tools::scenario

template <>
inline constexpr auto hwsim::kNamesOf<tools::scenario::ScenarioPoll> =
    std::to_array<hwsim::EnumName<tools::scenario::ScenarioPoll>>({
        {tools::scenario::ScenarioPoll::kAlways, "always"},
        {tools::scenario::ScenarioPoll::kHeuristic, "heuristic"},
        {tools::scenario::ScenarioPoll::kOnInterrupt, "on_interrupt"},
    });

#endif  // GHOSTCARD_TOOLS_SCENARIO_SCENARIO_OPTIONS_H_
