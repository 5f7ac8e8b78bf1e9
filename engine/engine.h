// Engine: runs operations on a card, from inside a job, a task, or plain code.
//
// In a job: the context's status is OK before the card can see the request, and the job pauses
// until it is told. Queue pair full: the status is EAGAIN and the job pauses until there is space
// (or is resumed at once, as set). Broken card: the status is ERR and the run ends with kRefused.
// Outside a job, or where pausing is blocked, the caller waits in place and polls the card
// meanwhile.
//
// This class is the entrance: it owns the card and what the runs on it share. A run itself is a Run
// (engine/run/run.h).
//
// Threads: Run and RunAsync on the job's thread, any number of threads at once; everything else
// from any thread. Callbacks run on the thread that handles the completion, never under a lock.
// Ownership: the engine owns its card. It is destroyed after every run on it has ended; a job that
// is still paused inside a run is not to be resumed. Operations that were given up and are still on
// the card are freed with it. fork: in a child, runs end with kRefused; the child makes its own
// engine.
#ifndef GHOSTCARD_ENGINE_ENGINE_H_
#define GHOSTCARD_ENGINE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/job_binding.h"
#include "engine/notify/notifier.h"
#include "engine/operation.h"
#include "engine/run/deadline_queue.h"
#include "engine/run/given_up.h"
#include "engine/run/health_watch.h"
#include "engine/run/retry_queue.h"
#include "engine/run/run_resources.h"
#include "engine/run_options.h"
#include "hwsim/base/fork_guard.h"
#include "hwsim/card/card.h"
#include "hwsim/completion/completion_service.h"

namespace engine {

class Engine {
 public:
  struct Options {
    hwsim::completion::CompletionMode completion = hwsim::completion::CompletionMode::kInterrupt;
    hwsim::Duration poll_interval = std::chrono::microseconds(10);
    hwsim::Duration watchdog_interval = std::chrono::milliseconds(200);
    RetryPolicy retry = RetryPolicy::kWhenSpace;
    std::optional<hwsim::Duration> time_limit;  // for runs whose options give none
    Recovery recovery;                          // for runs whose options give none
    run::HealthOptions health;                  // default: off
    // Call the callback also when there is space (kWhenSpace). Off: the manual says that the
    // callback comes only after the status OK. Then a job that waits for space and has no wait fd
    // goes on when the application resumes it without having been told.
    bool callback_when_space = false;
    const JobBinding* binding = nullptr;  // null: waitctx's jobs. Outlives the engine.
  };
  static hwsim::Expected<std::unique_ptr<Engine>> Create(std::unique_ptr<hwsim::card::Card> card,
                                                         Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs `operation` to its end, and pauses the current job as often as needed. Requires: no run of
  // the operation is under way.
  Outcome Run(OperationHandle& operation, const RunOptions& options = {});

  // Run for a coroutine: `Outcome outcome = co_await engine.RunAsync(operation);`
  // Defined in engine/awaiter.h. Requires: `operation` outlives the co_await expression.
  class Awaiter;
  Awaiter RunAsync(OperationHandle& operation, RunOptions options = {});

  // Makes the run under way on `operation` end with kCancelled, unless it is done first. From any
  // thread. Requires: the operation's owner keeps it alive meanwhile.
  void Cancel(OperationHandle& operation);

  // Looks for completions and handles them; at most `quota` per queue pair (0: all). Returns how
  // many. In inline mode nothing else handles completions; in the other modes a call does no harm.
  size_t Poll(size_t quota = 0);
  // Polls only if one of these holds: at least `threshold` requests are in flight; requests are in
  // flight, and at least `active_jobs` of them; a queue pair is full, or an operation waits for
  // space; a deadline has passed. Returns how many completions it handled.
  size_t PollHeuristically(size_t active_jobs, size_t threshold = 48);

  // Changes an interval while the engine runs. Requires: within CompletionService's bounds.
  void SetPollInterval(hwsim::Duration interval);
  void SetWatchdogInterval(hwsim::Duration interval);

  // Requests accepted by the card and not completed.
  size_t in_flight() const;
  // When Poll next has something to do for a deadline, the card's health or a lost signal; none:
  // nothing is due. For a caller that advances virtual time.
  std::optional<hwsim::TimePoint> NextDeadline() const;

  hwsim::card::Card& card() const { return *card_; }
  const Options& options() const { return options_; }

  // accepted = succeeded + failed + in flight. `late` counts completions whose runs had been given
  // up. `again` and `refused` count submits, so one operation may count more than once; `again`
  // includes operations queued behind others without a submit.
  struct Stats {
    uint64_t accepted = 0, again = 0, refused = 0;
    uint64_t succeeded = 0, failed = 0;
    uint64_t late = 0;
    uint64_t timed_out = 0, cancelled = 0;
    uint64_t callbacks = 0, fd_signals = 0, not_told = 0;
    uint64_t spurious_resumes = 0;
    uint64_t synchronous = 0;
    uint64_t retried = 0;      // attempts after the first
    uint64_t in_software = 0;  // runs that ended with the work done in software
    uint64_t resets = 0, heartbeat_false_alarms = 0;
    uint64_t told_again = 0;  // wait fds signalled again, because a fault lost their first signal
    hwsim::completion::CompletionService::Stats service;
  };
  Stats stats() const;

 private:
  Engine(std::unique_ptr<hwsim::card::Card> card, Options options);

  // Any thread.
  void OnCompleted(hwsim::rings::QueuePair& queue_pair,
                   std::span<hwsim::operations::Request* const> requests);
  // The timer of the completion service: deadlines, waits for space, the card's health, lost
  // signals. Returns when to call it next; none: not before it is woken.
  std::optional<hwsim::TimePoint> OnTime(hwsim::TimePoint now);

  // Constant after construction.
  const Options options_;
  const OwnJobs own_jobs_;
  const JobBinding& binding_;
  const uint64_t id_;
  const hwsim::ForkGuard fork_guard_;

  // What the runs share.
  notify::Notifier notifier_;
  run::HealthWatch health_;
  run::DeadlineQueue deadlines_;
  run::GivenUp given_up_;
  // The service's thread ends first, then the card, then what they use.
  std::vector<std::unique_ptr<run::RetryQueue>> retry_queues_;
  std::unique_ptr<hwsim::card::Card> card_;
  run::RunResources resources_;
  std::unique_ptr<hwsim::completion::CompletionService> service_;
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_ENGINE_H_
