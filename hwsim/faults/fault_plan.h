// FaultPlan: which faults strike, and when. A plan is data, from C++ or TOML; FaultInjector
// (fault_injector.h) carries it out. FAULTS.md tells for each kind what the card does, what the
// application sees, and how the engine recovers.
//
// Threads: values. Time: counts from the card's start.
#ifndef GHOSTCARD_HWSIM_FAULTS_FAULT_PLAN_H_
#define GHOSTCARD_HWSIM_FAULTS_FAULT_PLAN_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "hwsim/base/clock.h"
#include "hwsim/operations/request.h"

namespace hwsim::faults {

enum class FaultKind : uint8_t {
  // When the host submits.
  kRingFull,       // Submit returns kAgain although there is room; `times` submits in a row
  kBatchCut,       // only a part of a list or batch is accepted; the rest gets kAgain
  kSubmitRefused,  // Submit returns kError: the card is broken
  // A request on the card.
  kCompletionError,      // completes with kDeviceError
  kWrongResult,          // `times` bits of its output are flipped
  kVerdictInverted,      // work that succeeded completes as failed, and work that failed as done
  kResponseDropped,      // never completes, unless the card is reset
  kResponseDelayed,      // completes `time` later
  kResponseDuplicated,   // its response arrives `times` times more, `time` apart
  kResponseReordered,    // `times` others of its queue pair complete first; it waits at most `time`
  kResponseRingStalled,  // all responses of its queue pair wait `time`, then arrive in order
  kSlowInstance,         // its service takes `factor` times as long
  kWakeUp,               // the card was idle for `idle`: the service takes `time` longer
  // The card as a whole.
  kThrottled,            // services that begin within `time` take `factor` times as long
  kCardHang,             // card and heartbeat stand still for `time`; 0: until a reset
  kHeartbeatFalseAlarm,  // the heartbeat stands still for `time` while the card works
  kCardReset,            // the card resets itself: down for `time`
  kCardLost,             // the card is down for good
  kInstancesExhausted,   // a queue pair cannot be opened: the card has no more
  // The interrupt.
  kInterruptLost,        // the line does not rise
  kInterruptLate,        // the line rises `time` later
  kInterruptSpurious,    // the line rises when a request arrives, without a completion
  kInterruptDuplicated,  // the line rises `times` times more, `time` apart
  kInterruptCoalesced,   // the line rises once after `time`, for all completions until then
  // The notification of the job, by the engine.
  kWaitFdEarly,          // the wait fd is readable before the request completes
  kWaitFdTwice,          // the wait fd is readable once more after the notification
  kWaitFdLost,           // the wait fd does not become readable
  kCallbackWorstMoment,  // the callback runs on another thread just before the job pauses
};
inline constexpr size_t kFaultKindCount = 28;

// Where a kind of fault can strike. A rule looks at, and counts, everything that passes its site.
enum class FaultSite : uint8_t {
  kOpen,       // a queue pair is opened
  kSubmit,     // a request is submitted, and its queue pair has room
  kList,       // a list or batch of at least two requests is submitted, and there is room
  kArrival,    // a request arrives at the card
  kInterrupt,  // the line of a queue pair is about to rise; the operation is the last completed one
  kWait,       // a job begins to wait for a completion by its wait fd
  kCallback,   // a job begins to wait for a completion by its callback
  kTell,       // a wait fd is about to be signalled for a completion
};

// The properties of a kind of fault.
struct FaultForm {
  FaultKind kind{};
  std::string_view name;  // as in a configuration file: "ring_full"
  FaultSite site{};
  bool card_wide = false;  // strikes the whole card; with `at` by the clock, without a request
  // The defaults of the parameters that a rule of this kind may have; nullopt: it may not have it.
  std::optional<Duration> time;
  std::optional<uint32_t> times;
  std::optional<double> factor;
  std::optional<Duration> idle;
};
// One form for each kind, in the order of FaultKind.
std::span<const FaultForm> FaultForms();
const FaultForm& FormOf(FaultKind kind);
inline std::string_view FaultName(FaultKind kind) { return FormOf(kind).name; }
inline FaultSite SiteOf(FaultKind kind) { return FormOf(kind).site; }

struct FaultRule {
  FaultKind kind = FaultKind::kCompletionError;

  // Trigger: which of the passes below fire the rule. At most one is given. None: every pass fires
  // it, and then at least one of in_flight_min, from and until is needed.
  double probability = 0;      // (0, 1]: each pass with this probability
  uint64_t every_nth = 0;      // >= 1: the Nth, 2Nth, 3Nth ... pass
  uint64_t nth = 0;            // >= 1: the Nth pass only
  std::optional<Duration> at;  // the first pass at or after this time; a card-wide kind: this time

  // Conditions: which passes at its site the rule counts. Unset: all.
  std::optional<operations::OperationKind> operation;
  std::optional<uint32_t> queue_pair;
  uint64_t count_max = 0;         // the rule fires at most this often; 0: no limit
  uint32_t in_flight_min = 0;     // requests in flight in the queue pair, with this one
  std::optional<Duration> from;   // at or after this time
  std::optional<Duration> until;  // before this time

  // Parameters of the fault. Unset: the default in FormOf(kind). A parameter without a default
  // there must not be given.
  std::optional<Duration> time;   // 0 .. 1 h
  std::optional<uint32_t> times;  // 1 .. 65536
  std::optional<double> factor;   // 1 .. 1e6
  std::optional<Duration> idle;   // 0 .. 1 h
};

struct FaultPlan {
  std::vector<FaultRule> rules;

  // Whether there is a rule for this site, or of this kind.
  bool Has(FaultSite site) const;
  bool Has(FaultKind kind) const;
};

// A rule needs at least one of these keys.
inline constexpr std::string_view kFaultTriggers =
    "probability, every_nth, nth, at, in_flight_min, from, until";

// Limits of the parameters and times of a rule.
inline constexpr Duration kFaultTimeMax = std::chrono::hours(1);
inline constexpr uint32_t kFaultTimesMax = 65536;
inline constexpr double kFaultFactorMax = 1e6;

}  // namespace hwsim::faults

#endif  // GHOSTCARD_HWSIM_FAULTS_FAULT_PLAN_H_
