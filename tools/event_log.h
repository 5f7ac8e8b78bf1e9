// EventLog: what happened in a run under a virtual clock, in order, with a hash over all of it:
// two runs are the same when their hashes are.
//
// Threads: one at a time. Time: the run's, from zero.
#ifndef GHOSTCARD_TOOLS_EVENT_LOG_H_
#define GHOSTCARD_TOOLS_EVENT_LOG_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hwsim/clock.h"

namespace tools {

// Of each kind: what `place`, `number` and `detail` are; what is not named is 0.
enum class EventKind : uint8_t {
  // At the rings. place: the queue pair, number: Request::number.
  kPushed,     // to the card; detail: the OperationKind
  kAnswered,   // by the card; detail: the CompletionStatus
  kRepeated,   // answered once more; number: 0
  kPopped,     // back with the host
  kInterrupt,  // the line was to rise; number: 0
  // A job and its operation. place: the job, number: the operation's, counted over the run.
  kStarted,         // detail: the OperationKind
  kWaitsForResult,  // paused
  kWaitsForSpace,   // paused with EAGAIN
  kReadable,        // the application finds the wait fd readable
  kCalled,          // the callback ran
  kResumed,
  kCancelled,     // by the application
  kContextFreed,  // likewise
  kEnded,         // detail: the Outcome
  // The run.
  kFault,      // place: queue pair, number: Request::number, or 0; detail: the FaultKind
  kCardState,  // detail: the CardState
  kFaultsEnd,
  kReset,   // by whoever operates the card
  kProof,   // every slot is used once more
  kGaveUp,  // the end of patience
  kBroken,  // a rule
};
inline constexpr size_t kEventKindCount = 21;

struct Event {
  hwsim::TimePoint at{};
  uint64_t number = 0;
  uint32_t place = 0;
  EventKind kind{};
  uint8_t detail = 0;

  friend bool operator==(const Event&, const Event&) = default;
};

// "12500ns queue pair 1: request 7 pushed (sha256)"
std::string EventLine(const Event& event);
// The same without the time and, but for a fault's, the place: "request 7 pushed (sha256)"
std::string EventText(const Event& event);

class EventLog {
 public:
  // `keep`: events() has them all; otherwise there is the hash only.
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

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_EVENT_LOG_H_
