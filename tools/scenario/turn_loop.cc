#include "tools/scenario/turn_loop.h"

#include <algorithm>
#include <utility>

#include "hwsim/base/fd.h"

namespace tools::scenario {

using hwsim::Duration;
using hwsim::TimePoint;

namespace {

// How long a turn takes in which jobs were resumed in vain.
constexpr Duration kFutileTurn = std::chrono::microseconds(1);

}  // namespace

TurnLoop::TurnLoop(const ScenarioOptions& options, SimulatedSystem& system, SimulatedJobs& jobs)
    : options_(options),
      system_(system),
      jobs_(jobs),
      end_(TimePoint{} + options.patience + options.faults_end.value_or(Duration::zero())) {}

TurnLoop::Polled TurnLoop::Poll() {
  switch (options_.poll) {
    case ScenarioPoll::kAlways:
      return {.any = system_.engine().Poll(options_.poll_quota) != 0, .certain = true};
    case ScenarioPoll::kHeuristic:
      return {.any = system_.engine().PollHeuristically(jobs_.paused_count()) != 0,
              .certain = false};
    case ScenarioPoll::kOnInterrupt:
      break;
  }
  return PollOnInterrupt();
}

TurnLoop::Polled TurnLoop::PollOnInterrupt() {
  const auto deadline = system_.engine().NextDeadline();
  bool due = std::exchange(poll_due_, false) || (deadline && *deadline <= Now());
  for (const auto& queue_pair : system_.card().queue_pairs()) {
    if (hwsim::IsReadable(queue_pair->interrupt_fd())) due = true;
  }
  if (!due) return {};
  for (const auto& queue_pair : system_.card().queue_pairs()) queue_pair->DisarmInterrupt();
  const size_t found = system_.engine().Poll(options_.poll_quota);
  for (const auto& queue_pair : system_.card().queue_pairs()) {
    if (queue_pair->ArmInterrupt()) poll_due_ = true;
  }
  return {.any = found != 0, .certain = true};
}

TurnLoop::Answer TurnLoop::Turn() {
  if (++turns_ > kTurnsMax) {
    turns_ = 0;
    return Answer::kOutOfPatience;
  }
  jobs_.CancelAndFreeDue();
  const TimePoint polled_at = Now();
  const Polled polled = Poll();
  Invariants& invariants = system_.invariants();
  invariants.TakeFaults();
  jobs_.PollWaitFds();
  invariants.CheckNotifications(jobs_.all(),
                                polled.certain ? std::optional(polled_at) : std::nullopt);
  invariants.CheckCounts(system_.engine());
  const SimulatedJobs::Resumed resumed = jobs_.ResumeReady();
  const bool restarted = jobs_.RestartFreed();
  if (polled.any || resumed.any || restarted) return Answer::kProgress;
  return PassTime(resumed.futile);
}

// When something happens next by itself, or patience is over.
TimePoint TurnLoop::NextEvent(bool futile) {
  TimePoint next = std::min(system_.card().NextEvent().value_or(end_), end_);
  next = std::min(next, system_.engine().NextDeadline().value_or(end_));
  if (futile) next = std::min(next, Now() + kFutileTurn);
  next = std::min(next, jobs_.NextEvent(end_));
  if (options_.poll == ScenarioPoll::kOnInterrupt) {
    const TimePoint watchdog = last_watchdog_ + options_.engine.watchdog_interval;
    if (watchdog <= next) {
      next = watchdog;
      last_watchdog_ = watchdog;
      poll_due_ = true;
    }
  }
  return next;
}

TurnLoop::Answer TurnLoop::PassTime(bool futile) {
  const TimePoint now = Now();
  TimePoint next = NextEvent(futile);
  if (options_.free_contexts_at && !contexts_freed_) {
    const TimePoint free_at = TimePoint{} + *options_.free_contexts_at;
    if (free_at <= next) {
      contexts_freed_ = true;
      jobs_.FreeAllContexts();
    }
    next = std::min(next, free_at);
  }
  const TimePoint faults_end = TimePoint{} + options_.faults_end.value_or(Duration::zero());
  const bool faults_over =
      options_.faults_end && system_.phase() == ScenarioPhase::kFaults && faults_end <= next;
  if (faults_over) next = faults_end;
  AdvanceTo(std::max(next, now));
  if (faults_over) return Answer::kFaultsOver;
  if (next < end_) return Answer::kProgress;
  turns_ = 0;
  return Answer::kOutOfPatience;
}

void TurnLoop::AdvanceTo(TimePoint to) {
  if (to > Now()) turns_ = 0;
  system_.AdvanceTo(to);
  jobs_.OnTimeMoved();
}

bool TurnLoop::StepTo(TimePoint to) {
  if (Now() >= to) return false;
  const TimePoint next = std::min(system_.card().NextEvent().value_or(to),
                                  system_.engine().NextDeadline().value_or(to));
  AdvanceTo(std::clamp(next, Now(), to));
  return true;
}

}  // namespace tools::scenario
