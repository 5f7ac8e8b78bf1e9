#include "hwsim/faults/fault_plan.h"

#include <algorithm>
#include <array>

namespace hwsim::faults {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using enum FaultKind;
using enum FaultSite;

constexpr bool kWide = true;

constexpr std::array<FaultForm, kFaultKindCount> kForms = {{
    {.kind = kRingFull, .name = "ring_full", .site = kSubmit, .times = 1},
    {.kind = kBatchCut, .name = "batch_cut", .site = kList},
    {.kind = kSubmitRefused, .name = "submit_refused", .site = kSubmit},
    {.kind = kCompletionError, .name = "completion_error", .site = kArrival},
    {.kind = kWrongResult, .name = "wrong_result", .site = kArrival, .times = 1},
    {.kind = kVerdictInverted, .name = "verdict_inverted", .site = kArrival},
    {.kind = kResponseDropped, .name = "response_dropped", .site = kArrival},
    {.kind = kResponseDelayed,
     .name = "response_delayed",
     .site = kArrival,
     .time = milliseconds(1)},
    {.kind = kResponseDuplicated,
     .name = "response_duplicated",
     .site = kArrival,
     .time = microseconds(0),
     .times = 1},
    {.kind = kResponseReordered,
     .name = "response_reordered",
     .site = kArrival,
     .time = milliseconds(1),
     .times = 1},
    {.kind = kResponseRingStalled,
     .name = "response_ring_stalled",
     .site = kArrival,
     .time = milliseconds(1)},
    {.kind = kSlowInstance, .name = "slow_instance", .site = kArrival, .factor = 10},
    {.kind = kWakeUp,
     .name = "wake_up",
     .site = kArrival,
     .time = milliseconds(1),
     .idle = milliseconds(0)},
    {.kind = kThrottled,
     .name = "throttled",
     .site = kArrival,
     .card_wide = kWide,
     .time = milliseconds(10),
     .factor = 2},
    {.kind = kCardHang,
     .name = "card_hang",
     .site = kArrival,
     .card_wide = kWide,
     .time = milliseconds(0)},
    {.kind = kHeartbeatFalseAlarm,
     .name = "heartbeat_false_alarm",
     .site = kArrival,
     .card_wide = kWide,
     .time = milliseconds(2000)},
    {.kind = kCardReset,
     .name = "card_reset",
     .site = kArrival,
     .card_wide = kWide,
     .time = milliseconds(100)},
    {.kind = kCardLost, .name = "card_lost", .site = kArrival, .card_wide = kWide},
    {.kind = kInstancesExhausted, .name = "instances_exhausted", .site = kOpen},
    {.kind = kInterruptLost, .name = "interrupt_lost", .site = kInterrupt},
    {.kind = kInterruptLate, .name = "interrupt_late", .site = kInterrupt, .time = milliseconds(1)},
    {.kind = kInterruptSpurious, .name = "interrupt_spurious", .site = kArrival},
    {.kind = kInterruptDuplicated,
     .name = "interrupt_duplicated",
     .site = kInterrupt,
     .time = microseconds(10),
     .times = 1},
    {.kind = kInterruptCoalesced,
     .name = "interrupt_coalesced",
     .site = kInterrupt,
     .time = milliseconds(10)},
    {.kind = kWaitFdEarly, .name = "wait_fd_early", .site = kWait},
    {.kind = kWaitFdTwice, .name = "wait_fd_twice", .site = kTell},
    {.kind = kWaitFdLost, .name = "wait_fd_lost", .site = kTell},
    {.kind = kCallbackWorstMoment,
     .name = "callback_worst_moment",
     .site = kCallback,
     .time = milliseconds(10)},
}};

constexpr bool InOrder() {
  for (size_t i = 0; i < kForms.size(); ++i) {
    if (kForms[i].kind != static_cast<FaultKind>(i) || kForms[i].name.empty()) return false;
  }
  return true;
}
static_assert(InOrder(), "one form for each kind, in their order");

}  // namespace

std::span<const FaultForm> FaultForms() { return kForms; }
const FaultForm& FormOf(FaultKind kind) { return kForms[static_cast<size_t>(kind)]; }

bool FaultPlan::Has(FaultSite site) const {
  return std::ranges::any_of(rules,
                             [&](const FaultRule& rule) { return SiteOf(rule.kind) == site; });
}

bool FaultPlan::Has(FaultKind kind) const {
  return std::ranges::any_of(rules, [&](const FaultRule& rule) { return rule.kind == kind; });
}

}  // namespace hwsim::faults
