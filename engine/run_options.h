// The words of a run: how it may go (RunOptions, Recovery, RetryPolicy) and how it ended (Outcome).
//
// Threads: plain values, no sharing.
#ifndef GHOSTCARD_ENGINE_RUN_OPTIONS_H_
#define GHOSTCARD_ENGINE_RUN_OPTIONS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hwsim/base/clock.h"
#include "hwsim/base/enum_names.h"

namespace engine {

// How a run ended.
enum class [[nodiscard]] Outcome : uint8_t{
    kOk,           // the result is in place
    kFailed,       // the work itself failed, as it would in software
    kDeviceError,  // the card failed it: do not use the result; another run may succeed
    kRefused,      // the card accepted no requests (broken, resetting, or made by another process):
                   // clean up
    kTimedOut,     // the time limit passed first
    kCancelled,    // Engine::Cancel came first
    kBusy,         // the card still has the request of an earlier run that was given up: nothing
                   // happened, try again later
};

// What a run does when the card fails it.
struct Recovery {
  // How often a run may submit the operation when the card fails it or is reset. 1..100
  uint32_t attempts_max = 1;
  // While the card restarts, the run waits as it does for space (status EAGAIN). False: the run
  // ends with kRefused.
  bool wait_for_restart = false;
  // When the card refuses or fails the operation, the run does the work itself, on its own thread.
  // A run that was cancelled or timed out does not: the card may still have the request.
  bool software_fallback = false;
};

// When a job that met a full queue pair is told to try again.
enum class RetryPolicy : uint8_t {
  kWhenSpace,  // when a slot is kept for it: first come, first served
  kImmediate,  // at once: the application tries again and again, as with the QAT engine
};

struct RunOptions {
  std::optional<hwsim::Duration> time_limit;  // from now; none: the engine's
  // None: the calling thread's queue pair, which the engine chooses round robin. An index that the
  // card does not have: the run ends with kRefused.
  std::optional<uint32_t> queue_pair;
  std::optional<Recovery> recovery;  // none: the engine's
  bool in_place = false;             // wait on this thread, although the caller is a job
  // For a caller that waits in place: how often it tries a full queue pair again, a poll interval
  // apart, before the run ends with kRefused. None: it waits for space without a limit.
  std::optional<uint32_t> retries_max;
};

}  // namespace engine

template <>
inline constexpr auto hwsim::kNamesOf<engine::Outcome> =
    std::to_array<hwsim::EnumName<engine::Outcome>>({
        {engine::Outcome::kOk, "ok"},
        {engine::Outcome::kFailed, "failed"},
        {engine::Outcome::kDeviceError, "device_error"},
        {engine::Outcome::kRefused, "refused"},
        {engine::Outcome::kTimedOut, "timed_out"},
        {engine::Outcome::kCancelled, "cancelled"},
        {engine::Outcome::kBusy, "busy"},
    });
template <>
inline constexpr auto hwsim::kNamesOf<engine::RetryPolicy> =
    std::to_array<hwsim::EnumName<engine::RetryPolicy>>({
        {engine::RetryPolicy::kWhenSpace, "when_space"},
        {engine::RetryPolicy::kImmediate, "immediate"},
    });

namespace engine {

constexpr std::string_view OutcomeName(Outcome outcome) {
  return hwsim::EnumNames<Outcome>::NameOf(outcome);
}
constexpr std::string_view RetryPolicyName(RetryPolicy policy) {
  return hwsim::EnumNames<RetryPolicy>::NameOf(policy);
}

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_RUN_OPTIONS_H_
