// FaultPlan: what goes wrong, and when. A plan is data, in C++ or TOML; FaultInjector
// (fault_injector.h) is the plan under way. FAULTS.md says of each kind what the card does,
// what the application sees, and how the engine recovers.
//
// Threads: values. Time: from the card's start.
#ifndef GHOSTCARD_HWSIM_MODEL_FAULT_PLAN_H_
#define GHOSTCARD_HWSIM_MODEL_FAULT_PLAN_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "hwsim/clock.h"
#include "hwsim/request.h"

namespace hwsim {

enum class FaultKind : uint8_t {
  // As the host submits.
  kRingFull,       // Submit answers kAgain though there is room; `times` submits in a row
  kBatchCut,       // of a list or batch only a part is accepted, the rest answered kAgain
  kSubmitRefused,  // Submit answers kError: the card is broken
  // A request on the card.
  kCompletionError,      // completes with kDeviceError
  kWrongResult,          // `times` bits of its output are flipped
  kVerdictInverted,      // work that succeeded completes as failed, and the reverse
  kResponseDropped,      // never completes, unless the card is reset
  kResponseDelayed,      // completes `time` later
  kResponseDuplicated,   // its response comes `times` times more, each `time` after the one before
  kResponseReordered,    // is overtaken by `times` later ones of its queue pair, or waits `time`
  kResponseRingStalled,  // its queue pair's responses all wait `time`, then come in order
  kSlowInstance,         // its service takes `factor` times as long
  kWakeUp,               // finds the card idle since `idle`: its service begins `time` later
  // The card as a whole.
  kThrottled,            // for `time`, services that begin take `factor` times as long
  kCardHang,             // nothing moves, the heartbeat neither, for `time`; 0: until a reset
  kHeartbeatFalseAlarm,  // the heartbeat stands still for `time`, the card works
  kCardReset,            // resets itself: down for `time`
  kCardLost,             // down for good
  kInstancesExhausted,   // a queue pair cannot be opened: the card has fewer
  // The interrupt.
  kInterruptLost,        // the line does not rise
  kInterruptLate,        // it rises `time` later
  kInterruptSpurious,    // it rises as a request arrives, for nothing
  kInterruptDuplicated,  // it rises again `time` later, `times` times
  kInterruptCoalesced,   // it does not rise until `time` is over, whatever completes meanwhile
  // Telling the job (the engine's part).
  kWaitFdEarly,          // the wait fd is readable before the result is
  kWaitFdTwice,          // it is readable once more after the job was told
  kWaitFdLost,           // it does not become readable
  kCallbackWorstMoment,  // the callback runs on another thread just before the job pauses
};
inline constexpr size_t kFaultKindCount = 28;

// Where a kind of fault strikes, which is what a rule for it looks at and counts.
enum class FaultSite : uint8_t {
  kOpen,       // each queue pair as it is opened
  kSubmit,     // each request that finds room in its queue pair, as it is submitted
  kList,       // each list or batch of two and more for which there is room
  kArrival,    // each request as it arrives at the card
  kInterrupt,  // each time a queue pair's line is about to rise; the request is the one behind it
  kWait,       // each time a job goes to wait for a completion, to be told by its wait fd
  kCallback,   // the same, to be told by its callback
  kTell,       // each time a wait fd is about to be signalled for a completion
};

// What is known of a kind.
struct FaultForm {
  FaultKind kind{};
  std::string_view name;  // as in a configuration file: "ring_full"
  FaultSite site{};
  bool card_wide = false;  // with `at` it needs no request to strike
  // Which of a rule's parameters it reads, and their values where a rule gives none.
  std::optional<Duration> time;
  std::optional<uint32_t> times;
  std::optional<double> factor;
  std::optional<Duration> idle;
};
// One for each kind, in their order.
std::span<const FaultForm> FaultForms();
const FaultForm& FormOf(FaultKind kind);
inline std::string_view FaultName(FaultKind kind) { return FormOf(kind).name; }
inline FaultSite SiteOf(FaultKind kind) { return FormOf(kind).site; }

struct FaultRule {
  FaultKind kind = FaultKind::kCompletionError;

  // Which of those that it looks at it strikes. At most one; none: every one of them, and then at
  // least one of in_flight_min, from and until is needed.
  double probability = 0;      // (0, 1]: each with this probability
  uint64_t every_nth = 0;      // >= 1: the Nth, 2Nth, 3Nth ...
  uint64_t nth = 0;            // >= 1: the Nth and no other
  std::optional<Duration> at;  // the first at this time or after; a card-wide kind: at this moment

  // What it looks at; unset: everything at its site.
  std::optional<OperationKind> operation;
  std::optional<uint32_t> queue_pair;
  uint64_t count_max = 0;         // fires at most so often; 0: no limit
  uint32_t in_flight_min = 0;     // only while so many are in flight in the queue pair, itself
                                  // included
  std::optional<Duration> from;   // only at this time and after
  std::optional<Duration> until;  // only before this time

  // How it strikes; unset: as FormOf(kind) says. A kind that does not read one must not have it.
  std::optional<Duration> time;   // 0 .. 1 h
  std::optional<uint32_t> times;  // 1 .. 65536
  std::optional<double> factor;   // 1 .. 1e6
  std::optional<Duration> idle;   // 0 .. 1 h
};

struct FaultPlan {
  std::vector<FaultRule> rules;

  // Whether a rule strikes there.
  bool Has(FaultSite site) const;
  bool Has(FaultKind kind) const;
};

// What makes a rule strike at all: the keys of which a rule needs one.
inline constexpr std::string_view kFaultTriggers =
    "probability, every_nth, nth, at, in_flight_min, from, until";

// How long a fault may take, and how late it may begin.
inline constexpr Duration kFaultTimeMax = std::chrono::hours(1);
inline constexpr uint32_t kFaultTimesMax = 65536;
inline constexpr double kFaultFactorMax = 1e6;

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_FAULT_PLAN_H_
