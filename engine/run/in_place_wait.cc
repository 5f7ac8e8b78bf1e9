#include "engine/run/in_place_wait.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace engine::run {

namespace {

void WaitForNextTry(RunResources& resources) {
  if (resources.Poll() > 0) return;
  hwsim::card::TimeDriver* const time = resources.card.time_driver();
  if (time != nullptr && time->Step()) return;
  std::this_thread::sleep_for(resources.poll_interval.load(std::memory_order_relaxed));
}

}  // namespace

void WaitInPlace(RunResources& resources, OperationState& operation) {
  if (operation.phase.now() == Phase::kRetry) {
    WaitForNextTry(resources);
    return;
  }
  constexpr int kSpins = 64;
  hwsim::Duration nap = std::chrono::microseconds(20);
  hwsim::card::TimeDriver* const time = resources.card.time_driver();
  for (int spins = 0;; ++spins) {
    const Phase phase = operation.phase.now();
    if (!RunPhase::IsWaiting(phase)) return;
    // A callback that a poll ran may have forked: then this is the child.
    if (!resources.fork_guard.InCreator()) return;
    if (resources.Poll() > 0) continue;
    const std::optional<hwsim::TimePoint> deadline = resources.NextDeadline();
    if (time != nullptr && (deadline ? time->StepUntil(*deadline) : time->Step())) continue;
    if (phase == Phase::kTelling || spins < kSpins) {
      std::this_thread::yield();
      continue;
    }
    // Short at first: in inline mode no other thread polls.
    resources.notifier.WaitWhile(operation, phase, nap);
    nap = std::min<hwsim::Duration>(2 * nap, std::chrono::milliseconds(1));
  }
}

void PollOnce(RunResources& resources, OperationState& operation) {
  const Phase phase = operation.phase.now();
  const bool waits = RunPhase::IsWaiting(phase);
  if (waits || phase == Phase::kRetry) resources.Poll();
  if (waits) std::this_thread::yield();
}

void CompleteOnOtherThread(RunResources& resources, OperationState& operation) {
  const hwsim::Duration limit =
      std::exchange(operation.run.notify.complete_before_pause, hwsim::Duration::zero());
  hwsim::card::Card& card = resources.card;
  const hwsim::TimePoint until = card.clock().Now() + limit;
  hwsim::card::TimeDriver* const time = card.time_driver();
  // Not this thread: an application may assume that its callback never runs on the job's own.
  std::thread([&] {
    while (operation.phase.now() == Phase::kPaused && card.clock().Now() < until) {
      if (resources.Poll() > 0) continue;
      if (time == nullptr || !time->StepUntil(until)) std::this_thread::yield();
    }
  }).join();
}

}  // namespace engine::run
