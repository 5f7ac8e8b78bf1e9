// CompletionService: notices that requests completed and runs a handler for them. How it notices
// is chosen at run time:
//
//   interrupt  A dispatcher thread sleeps on the queue pairs' interrupt lines. When a line rises,
//              it disarms the line, pops until the queue pair is empty, arms the line, looks once
//              more and sleeps.
//   polling    A thread looks at the queue pairs at an interval and runs the handler. While
//              nothing is in flight, it sleeps without a time limit.
//   inline     There is no thread: the application calls Poll().
//
// Threads: the handler runs on the service's thread or on the thread that calls Poll(), and
// possibly on several threads at once; never under a lock. OnTime runs on the service's thread
// only; in inline mode on a thread that calls Poll(), one at a time.
// Limits: at most kBurst requests in one call of the handler.
// Time: CompletionService sleeps in real time. Its deadlines are compared with the card's clock.
#ifndef GHOSTCARD_HWSIM_COMPLETION_COMPLETION_SERVICE_H_
#define GHOSTCARD_HWSIM_COMPLETION_COMPLETION_SERVICE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "hwsim/base/enum_names.h"
#include "hwsim/card/card.h"

namespace hwsim::completion {

enum class CompletionMode : uint8_t { kInterrupt, kPolling, kInline };

}  // namespace hwsim::completion

namespace hwsim {
template <>
inline constexpr auto kNamesOf<completion::CompletionMode> =
    std::to_array<EnumName<completion::CompletionMode>>({
        {completion::CompletionMode::kInterrupt, "interrupt"},
        {completion::CompletionMode::kPolling, "polling"},
        {completion::CompletionMode::kInline, "inline"},
    });
}  // namespace hwsim

namespace hwsim::completion {
constexpr std::string_view CompletionModeName(CompletionMode mode) {
  return EnumNames<CompletionMode>::NameOf(mode);
}

class CompletionService {
 public:
  // The most requests in one call of the handler. Source: the longest burst that Intel advises for
  // polling an accelerator.
  static constexpr size_t kBurst = 64;

  // Handles completed requests of one queue pair. The requests belong to the handler again. It may
  // submit.
  using Handler = std::function<void(rings::QueuePair&, std::span<operations::Request* const>)>;
  // Does what is due at `now`. Returns the time of the next call; nullopt: the next call is after
  // Wake().
  using OnTime = std::function<std::optional<TimePoint>(TimePoint now)>;

  struct Options {
    CompletionMode mode = CompletionMode::kInterrupt;
    // Polling mode: the pause between two looks; 0 s to 1 s, 0: no pause.
    Duration poll_interval = std::chrono::microseconds(10);
    // Interrupt mode: while something is in flight, the thread looks at all queue pairs at this
    // interval, because an interrupt may have been lost; 1 ms to 60 s.
    Duration watchdog_interval = std::chrono::milliseconds(200);
    Handler handler;  // required
    OnTime on_time;   // may be empty
  };

  // Makes the service and starts its thread. Turns the card's interrupts on for interrupt mode, off
  // for the others. Fails, with a message that names the option, when an option is out of bounds,
  // the handler is missing, or the card cannot be used from a second thread; with an errno when
  // the process is out of descriptors.
  // Requires: `card` outlives the service.
  static Expected<std::unique_ptr<CompletionService>> Create(card::Card& card, Options options);
  // When this returns, the service's thread has ended and runs the handler no more.
  virtual ~CompletionService() = default;

  // Pops and handles completed requests: at most `quota` per queue pair, or all when `quota` is 0.
  // In every mode, from any thread. Returns how many requests it handled.
  virtual size_t Poll(size_t quota = 0) = 0;
  // Tells the service of an accepted submit. Call it after each one: it wakes a thread that sleeps
  // because nothing was in flight. Costs a load and a branch while the thread is awake.
  virtual void NoteSubmitted() = 0;
  // Makes OnTime run soon. From any thread.
  virtual void Wake() = 0;

  // Changes an interval of a running service; the next sleep uses it. From any thread.
  // Requires: `interval` is within the bounds that Options gives.
  virtual void SetPollInterval(Duration interval) = 0;
  virtual void SetWatchdogInterval(Duration interval) = 0;

  // Counts since Create, all of the service's thread; 0 in inline mode.
  struct Stats {
    uint64_t wakeups = 0;      // times the thread woke from a sleep
    uint64_t polls = 0;        // times the thread looked for completions
    uint64_t empty_polls = 0;  // polls that found none
    uint64_t rescued = 0;      // completions found by the watchdog instead of an interrupt
  };
  virtual Stats stats() const = 0;
};

}  // namespace hwsim::completion

#endif  // GHOSTCARD_HWSIM_COMPLETION_COMPLETION_SERVICE_H_
