// Engine: runs operations on a card, from inside a job, a task, or plain code.
//
// In a job: the status is OK before the card can see the request; the job pauses until it is told.
// Queue pair full: the status is EAGAIN and the job pauses until there is space (or at once, as
// set). Broken card: the status is ERR and the run answers kRefused. Outside a job, or where
// pausing is blocked, the caller waits in place and polls the card meanwhile.
//
// Threads: Run and RunAsync on the job's thread, on as many threads as you like; everything
// else from any thread. Callbacks run on the thread that noticed the completion, never under a
// lock. Ownership: the engine owns its card. It ends after every run on it; jobs still paused
// inside one are not to be resumed. Operations that were given up and are still on the card end
// with it. fork: a child's runs answer kRefused; it makes an engine of its own.
#ifndef GHOSTCARD_ENGINE_ENGINE_H_
#define GHOSTCARD_ENGINE_ENGINE_H_

#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/deadline_queue.h"
#include "engine/health_watch.h"
#include "engine/job_binding.h"
#include "engine/notifier.h"
#include "engine/operation.h"
#include "engine/retry_queue.h"
#include "hwsim/card.h"
#include "hwsim/completion_service.h"
#include "hwsim/fork_guard.h"

namespace engine {

// When a job that met a full queue pair is told to try again.
enum class RetryPolicy : uint8_t {
  kWhenSpace,  // when a slot is kept for it: first come, first served
  kImmediate,  // at once: the application tries again and again, as with the QAT engine
};
std::string_view RetryPolicyName(RetryPolicy policy);  // "when_space", "immediate"

struct RunOptions {
  std::optional<hwsim::Duration> time_limit;  // from now; none: the engine's
  // None: the calling thread's, round robin. One that the card has not got: the run is refused.
  std::optional<uint32_t> queue_pair;
  std::optional<Recovery> recovery;  // none: the engine's
  bool in_place = false;             // wait here, though the caller is a job that may pause
  // For who waits in place: how often a full queue pair is tried again, a poll interval apart,
  // until the run ends as kRefused; none: wait for space as long as it takes.
  std::optional<uint32_t> retries_max;
};

class Engine {
 public:
  struct Options {
    hwsim::CompletionMode completion = hwsim::CompletionMode::kInterrupt;
    hwsim::Duration poll_interval = std::chrono::microseconds(10);
    hwsim::Duration watchdog_interval = std::chrono::milliseconds(200);
    RetryPolicy retry = RetryPolicy::kWhenSpace;
    std::optional<hwsim::Duration> time_limit;  // of runs that give none
    Recovery recovery;                          // likewise
    HealthOptions health;                       // off
    // Call the callback too when there is space (kWhenSpace). The manual says to expect none
    // unless the status is OK; hence off, and such a job is resumed by trial.
    bool callback_when_space = false;
    const JobBinding* binding = nullptr;  // null: waitctx's jobs. Outlives the engine.
  };
  static hwsim::Expected<std::unique_ptr<Engine>> Create(std::unique_ptr<hwsim::Card> card,
                                                         Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs `operation` to its end, pausing the current job as often as needed.
  Outcome Run(OperationHandle& operation, const RunOptions& options = {});

  // The same for a coroutine: `Outcome outcome = co_await engine.RunAsync(operation);`
  // Both arguments outlive the co_await expression.
  // (engine/awaiter.h).
  class Awaiter;
  Awaiter RunAsync(OperationHandle& operation, RunOptions options = {});

  // Makes the run under way on `operation` end with kCancelled, unless it is done first. From any
  // thread. Requires: the operation's owner keeps it alive meanwhile.
  void Cancel(OperationHandle& operation);

  // Looks for completions and handles them; at most `quota` per queue pair (0: all). Returns how
  // many. The only source of completions in inline mode; harmless in the others.
  size_t Poll(size_t quota = 0);
  // Polls if it is worth while: `threshold` requests are in flight, or all `active_jobs` wait, or
  // some wait for space, or a deadline has passed.
  size_t PollHeuristically(size_t active_jobs, size_t threshold = 48);

  // Changes an interval while the engine runs. Requires: within CompletionService's bounds.
  void SetPollInterval(hwsim::Duration interval);
  void SetWatchdogInterval(hwsim::Duration interval);

  // Requests accepted by the card and not completed.
  size_t in_flight() const;
  // When Poll has something to do for a deadline or the card's health; none: neither is set. For
  // whoever steps time.
  std::optional<hwsim::TimePoint> NextDeadline() const;

  hwsim::Card& card() const { return *card_; }
  const Options& options() const { return options_; }

  // accepted = succeeded + failed + in flight; late are those of them whose run had been given up.
  // again and refused count submits, and so the same operation more than once; again those too
  // that found others waiting before them.
  struct Stats {
    uint64_t accepted = 0, again = 0, refused = 0;
    uint64_t succeeded = 0, failed = 0;
    uint64_t late = 0;
    uint64_t timed_out = 0, cancelled = 0;
    uint64_t callbacks = 0, fd_signals = 0, told_nobody = 0;
    uint64_t spurious_resumes = 0;
    uint64_t synchronous = 0;
    uint64_t retried = 0;      // attempts after the first
    uint64_t in_software = 0;  // runs that ended so
    uint64_t resets = 0, heartbeat_false_alarms = 0;
    uint64_t told_again = 0;  // wait fds signalled once more, because their jobs did not come
    hwsim::CompletionService::Stats service;
  };
  Stats stats() const;

 private:
  enum class Step : uint8_t { kDone, kWait, kRetry };

  Engine(std::unique_ptr<hwsim::Card> card, Options options);

  // Where a run stands is in the operation's phase; these move it on. Begin, then Advance until
  // kDone, waiting to be told (or just trying) in between; then the outcome stands. Owner's thread.
  Step Begin(OperationState& operation, waitctx::WaitContext* context, bool synchronous,
             const RunOptions& options);
  Step Advance(OperationState& operation);
  // The owner gives up for good: its coroutine is destroyed, or its job will not be resumed.
  void GiveUp(OperationState& operation);

  // Moves it on until it is kDone or kWait.
  Step Submit(OperationState& operation);
  Step TrySubmit(OperationState& operation);
  Step OnRefused(OperationState& operation, bool granted);
  Step EndInSoftware(OperationState& operation);
  // A fault of the notification's: others have the job told before it has paused.
  void LetItBeToldNow(OperationState& operation);
  Step WaitForSpace(OperationState& operation, bool at_head);
  // Sees to it that a slot which this thread gave up, or could not tell about, is granted
  // elsewhere.
  void PassOn(RetryQueue& queue);
  Step WaitForCompletion(OperationState& operation);
  Step EndCompleted(OperationState& operation);
  Step EndStopped(OperationState& operation);
  Step End(OperationState& operation, Outcome outcome);
  Step EndInChild(OperationState& operation);
  static bool IsWaiting(Phase phase);
  void WaitInPlace(OperationState& operation);
  void WaitForNextTry();
  RetryQueue& RetryQueueOf(const OperationState& operation);
  uint32_t QueuePairOfThread();

  // Any thread. True: it was waiting, is kTelling now, and the caller tells it kStopped.
  static bool Stop(OperationState& operation, Outcome why);
  void OnCompleted(hwsim::QueuePair& queue_pair, std::span<hwsim::Request* const> requests);
  void OnLate(OperationState& operation);
  std::optional<hwsim::TimePoint> OnTime(hwsim::TimePoint now);
  // Grants what slots there are. Whether somebody still waits, or has not claimed a slot.
  bool GrantAll();
  // Since when, at the most, the card keeps a request that was given up.
  std::optional<hwsim::TimePoint> OldestGivenUp();

  // Constant after construction.
  const Options options_;
  const OwnJobs own_jobs_;
  const JobBinding& binding_;
  const uint64_t id_;
  const hwsim::ForkGuard fork_guard_;

  Notifier notifier_;
  std::unique_ptr<HealthWatch> health_;
  DeadlineQueue deadlines_;
  std::atomic<hwsim::Duration> poll_interval_;  // stands alone: no order needed
  std::atomic<uint32_t> next_queue_pair_{0};
  // OnTime has been told, or will say itself, that somebody waits for space. Only exchanges: the
  // later of two sees what the earlier did before.
  std::atomic<bool> sweeping_{false};
  // Counters only: no order needed.
  std::atomic<uint64_t> again_{0}, late_{0}, timed_out_{0}, cancelled_{0}, spurious_{0},
      synchronous_{0};
  std::atomic<uint64_t> retried_{0}, in_software_{0};

  // Operations given up while on the card: whoever is last, owner or card, frees them.
  hwsim::Mutex given_up_mutex_;
  std::unordered_set<OperationState*> given_up_ GHOSTCARD_GUARDED_BY(given_up_mutex_);

  // In the order in which they end, last first: the service's thread, the card, then the rest.
  std::vector<std::unique_ptr<RetryQueue>> retry_queues_;
  std::unique_ptr<hwsim::Card> card_;
  std::unique_ptr<hwsim::CompletionService> service_;

  friend class Awaiter;
  friend class PausedRun;
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_ENGINE_H_
