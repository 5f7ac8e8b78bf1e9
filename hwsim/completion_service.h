// CompletionService: who notices that requests completed, chosen at run time.
//
//   interrupt  a dispatcher thread sleeps on the queue pairs' interrupt lines;
//              it disarms, pops until empty, arms, looks once more, sleeps
//   polling    a thread looks at an interval and runs the same handler; while
//              nothing is in flight it sleeps for good
//   inline     nobody: the application calls Poll()
//
// Threads: the handler runs on the service's thread, or on the one that called
// Poll(); never under a lock, possibly on several threads at once. OnTime runs on
// the service's thread only (inline: on the one that calls Poll()).
// Limits: at most kBurst requests in one call of the handler.
#ifndef GHOSTCARD_HWSIM_COMPLETION_SERVICE_H_
#define GHOSTCARD_HWSIM_COMPLETION_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "hwsim/card.h"

namespace hwsim {

enum class CompletionMode : uint8_t { kInterrupt, kPolling, kInline };
std::string_view CompletionModeName(CompletionMode mode);  // "interrupt", "polling", "inline"

class CompletionService {
 public:
  static constexpr size_t kBurst = 64;  // the longest burst that Intel advises for a poll

  using Handler = std::function<void(QueuePair&, std::span<Request* const>)>;
  // Does what is due at `now`, and says when it wants to be called next; none: not
  // before Wake().
  using OnTime = std::function<std::optional<TimePoint>(TimePoint now)>;

  struct Options {
    CompletionMode mode = CompletionMode::kInterrupt;
    Duration poll_interval = std::chrono::microseconds(10);  // polling; 0: without a pause. 0..1 s
    // A look at the rings at this interval while something is in flight, in case an
    // interrupt was lost. Interrupt mode; 1 ms..60 s.
    Duration watchdog_interval = std::chrono::milliseconds(200);
    Handler handler;
    OnTime on_time;  // may be empty
  };

  // Requires: `card` outlives the service.
  static Expected<std::unique_ptr<CompletionService>> Create(Card& card, Options options);
  // The thread has ended and the handler runs no more when this returns.
  virtual ~CompletionService() = default;

  // Pops and handles what is ready, at most `quota` requests per queue pair (0: until
  // empty). In every mode, from any thread. Returns how many requests it handled.
  virtual size_t Poll(size_t quota = 0) = 0;
  // To be called after each accepted submit: wakes a poller that sleeps because
  // nothing was in flight. A load and a branch while it is awake.
  virtual void NoteSubmitted() = 0;
  // Makes OnTime run soon.
  virtual void Wake() = 0;

  // Changes an interval while it runs, from the next sleep on. From any thread.
  // Requires: within the bounds that Options gives.
  virtual void SetPollInterval(Duration interval) = 0;
  virtual void SetWatchdogInterval(Duration interval) = 0;

  struct Stats {
    uint64_t wakeups = 0;      // times the thread woke from a sleep
    uint64_t polls = 0;        // looks at the rings by the thread
    uint64_t empty_polls = 0;  // looks that found nothing
    uint64_t rescued = 0;      // completions found by the watchdog, not by an interrupt
  };
  virtual Stats stats() const = 0;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_COMPLETION_SERVICE_H_
