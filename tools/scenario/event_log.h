// EventLog: what happened in a run under a virtual clock, in order, with a hash over all events.
// Two runs are equal when their hashes are.
//
// The hash covers the numbers of each Event. It does not cover the words that EventText prints.
//
// Threads: one at a time. Time: the run's virtual time, from zero.
#ifndef GHOSTCARD_TOOLS_SCENARIO_EVENT_LOG_H_
#define GHOSTCARD_TOOLS_SCENARIO_EVENT_LOG_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hwsim/base/clock.h"

namespace tools::scenario {

// The comments say what `index`, `number` and `detail` of the event hold. A field that is not named
// is 0. The order is part of the hash.
enum class EventKind : uint8_t {
  // At the rings. index: the queue pair; number: Request::number.
  kPushed,            // the queue pair pushed the request to the card; detail: the OperationKind
  kCompleted,         // the card completed the request; detail: the CompletionStatus
  kResponseRepeated,  // a fault sent a response a second time; number: 0
  kPopped,            // the host took the completion
  kInterrupt,         // the card signalled the interrupt line, which rises if armed; number: 0
  // A job and its operation. index: the job; number: the operation's, counted over the run.
  kStarted,         // detail: the OperationKind
  kWaitsForResult,  // the job paused with status OK
  kWaitsForSpace,   // the job paused with status EAGAIN
  kWaitFdReadable,  // the application found the wait fd readable
  kCallbackRan,
  kResumed,
  kCancelled,     // the application cancelled the operation
  kContextFreed,  // the application freed the wait context
  kEnded,         // detail: the Outcome
  // The run.
  kFault,      // index: queue pair; number: Request::number, or 0; detail: the FaultKind
  kCardState,  // detail: the CardState
  kFaultsEnd,
  kOperatorReset,  // the card was reset from outside the engine
  kLivenessPhase,  // begins: every slot of the card is used once more
  kOutOfPatience,
  kBroken,  // an invariant did not hold
};
inline constexpr size_t kEventKindCount = 21;

struct Event {
  hwsim::TimePoint at{};
  uint64_t number = 0;
  uint32_t index = 0;
  EventKind kind{};
  uint8_t detail = 0;

  friend bool operator==(const Event&, const Event&) = default;
};

// "12500ns queue pair 1: request 7 pushed (sha256)"
std::string EventLine(const Event& event);
// EventLine without the time and without the leading queue pair or job:
// "request 7 pushed (sha256)". The text of a fault names the queue pair.
std::string EventText(const Event& event);

class EventLog {
 public:
  // `keep`: events() holds every event. Otherwise the log has only the hash and the count.
  explicit EventLog(bool keep) : keep_(keep) {}

  void Append(const Event& event);
  // Called with each event as it happens; may be empty.
  std::function<void(const Event&)> on_event;

  const std::vector<Event>& events() const { return events_; }
  uint64_t hash() const { return hash_; }
  uint64_t count() const { return count_; }

 private:
  const bool keep_;
  std::vector<Event> events_;
  uint64_t hash_ = 0;
  uint64_t count_ = 0;
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_EVENT_LOG_H_
