#include "engine/run/run.h"

#include "hwsim/base/check.h"
#include "hwsim/base/coverage_mark.h"

namespace engine::run {

using hwsim::operations::CompletionStatus;
using hwsim::operations::SubmitStatus;
using waitctx::Status;
using waitctx::WaitContext;

namespace {

Outcome OutcomeOf(CompletionStatus status) {
  switch (status) {
    case CompletionStatus::kOk:
      return Outcome::kOk;
    case CompletionStatus::kOperationFailed:
      return Outcome::kFailed;
    case CompletionStatus::kDeviceError:
    case CompletionStatus::kCardReset:
    case CompletionStatus::kPending:
      break;
  }
  return Outcome::kDeviceError;
}

}  // namespace

void Run::SetStatus(Status status) {
  if (operation_.run.context != nullptr) operation_.run.context->set_status(status);
}

RetryQueue& Run::Queue() const {
  return *resources_.retry_queues[operation_.run.queue_pair->index()];
}

// --- The owner's thread ---

Run::Step Run::Begin(WaitContext* context, bool synchronous, const RunOptions& options) {
  if (!operation_.phase.Begin()) {
    operation_.run.outcome = Outcome::kBusy;
    return Step::kDone;
  }
  const RunPolicy& policy = resources_.policy;
  operation_.run = {
      .context = context,
      .synchronous = synchronous,
      .retries_left = synchronous ? options.retries_max : std::nullopt,
      .recovery = options.recovery.value_or(policy.recovery),
  };
  operation_.status = CompletionStatus::kPending;
  operation_.done.store(false, std::memory_order_relaxed);
  if (!resources_.fork_guard.InCreator()) return EndInChild();
  const uint32_t index = options.queue_pair ? *options.queue_pair : resources_.QueuePairOfThread();
  // A card may have come up with fewer queue pairs than were asked for.
  if (index >= resources_.card.queue_pairs().size()) return EndRefused();
  operation_.run.queue_pair = resources_.card.queue_pairs()[index].get();
  if (const auto limit = options.time_limit ? options.time_limit : policy.time_limit) {
    operation_.run.deadline = resources_.card.clock().Now() + *limit;
    if (resources_.deadlines.Add(operation_)) resources_.service->Wake();
  }
  return Submit();
}

Run::Step Run::Advance() {
  if (!resources_.fork_guard.InCreator()) return EndInChild();
  switch (operation_.phase.now()) {
    case Phase::kDone: {
      resources_.notifier.Take(operation_);
      const Step step = EndCompleted();
      return step == Step::kRetry ? Submit() : step;
    }
    case Phase::kStopped:
      resources_.notifier.Take(operation_);
      return EndStopped();
    case Phase::kGranted:
    case Phase::kRetry:
      resources_.notifier.Take(operation_);
      return Submit();
    case Phase::kPaused:
    case Phase::kQueued:
    case Phase::kTelling:
      // Resumed before it was told: by an application that tries, or that was told about another
      // operation on the same context.
      RunCounters::Add(resources_.counters.spurious);
      resources_.notifier.Clear(operation_);
      return Step::kWait;
    case Phase::kIdle:
    case Phase::kRunning:
    case Phase::kAbandoned:
      break;
  }
  GHOSTCARD_CHECK(false, "an operation that is not under way was resumed");
}

Run::Step Run::Submit() {
  Step step = TrySubmit();
  while (step == Step::kRetry) step = TrySubmit();
  return step;
}

Run::Step Run::TrySubmit() {
  if (operation_.phase.stop_requested()) {
    GHOSTCARD_COVERAGE_MARK("stopped before a submit");
    return EndStopped();
  }
  const bool granted = operation_.phase.now() == Phase::kGranted;
  // Before the submit: after it, the callback may run and look at the status.
  SetStatus(Status::kOk);
  operation_.phase.BeginSubmit();
  switch (Queue().Submit(operation_, granted)) {
    case SubmitStatus::kOk:
      ++operation_.run.attempts;
      resources_.service->NoteSubmitted();
      if (resources_.health.NoteSubmitted()) resources_.service->Wake();
      return WaitForCompletion();
    case SubmitStatus::kAgain:
      operation_.phase.SubmitRefused();
      return OnFull(granted);
    case SubmitStatus::kError:
      break;
  }
  operation_.phase.SubmitRefused();
  return OnRefused(granted);
}

Run::Step Run::OnFull(bool granted) {
  RunCounters::Add(resources_.counters.again);
  std::optional<uint32_t>& retries_left = operation_.run.retries_left;
  if (!retries_left) {
    SetStatus(Status::kAgain);
    return WaitForSpace(granted);
  }
  if (*retries_left == 0) return OnRefused(granted);
  --*retries_left;
  return Step::kWait;
}

Run::Step Run::OnRefused(bool granted) {
  using Admission = hwsim::rings::QueuePair::Admission;
  const bool restarting = operation_.run.queue_pair->admission() == Admission::kClosed;
  if (restarting && operation_.run.recovery.wait_for_restart) {
    GHOSTCARD_COVERAGE_MARK("waited for a restart");
    SetStatus(Status::kAgain);
    return WaitForSpace(granted);
  }
  PassOn(Queue());
  return EndRefused();
}

Run::Step Run::WaitForCompletion() {
  operation_.run.on_card = true;
  if (operation_.phase.now() != Phase::kRunning) return EndCompleted();
  resources_.notifier.Attach(operation_, notify::Notifier::Awaited::kCompletion);
  switch (operation_.phase.Pause()) {
    case RunPhase::PauseAnswer::kPaused:
      return Step::kWait;
    case RunPhase::PauseAnswer::kStopped:
      return EndStopped();
    case RunPhase::PauseAnswer::kCompleted:
      break;
  }
  return EndCompleted();
}

Run::Step Run::WaitForSpace(bool at_head) {
  const bool synchronous = operation_.run.synchronous;
  if (resources_.policy.retry == RetryPolicy::kImmediate && !synchronous) {
    resources_.notifier.Attach(operation_, notify::Notifier::Awaited::kNextTry);
    return Step::kWait;
  }
  const bool has_wait_fd =
      resources_.notifier.Attach(operation_, notify::Notifier::Awaited::kSpace);
  const bool can_be_told =
      synchronous || has_wait_fd ||
      (resources_.policy.callback_when_space && operation_.run.context != nullptr);
  if (!can_be_told) return Step::kWait;
  RetryQueue& queue = Queue();
  if (queue.Add(operation_, at_head)) {
    GHOSTCARD_COVERAGE_MARK("a slot came free as it queued");
    return Step::kRetry;
  }
  if (operation_.phase.StopQueued()) return EndStopped();
  PassOn(queue);
  // Contexts may be closed at any time without notice: while an operation waits for space, the
  // engine's timer looks at intervals.
  if (!resources_.sweeping.exchange(true, std::memory_order_acq_rel)) resources_.service->Wake();
  return Step::kWait;
}

void Run::PassOn(RetryQueue& queue) {
  if (queue.NeedsGrant()) resources_.service->Wake();
}

Run::Step Run::EndCompleted() {
  operation_.run.on_card = false;
  const Outcome outcome = OutcomeOf(operation_.status);
  if (outcome != Outcome::kDeviceError) return End(outcome);
  const Recovery& recovery = operation_.run.recovery;
  if (recovery.attempts_max <= 1 && !recovery.software_fallback) return End(outcome);
  // A stop request does not undo a result, but ends a run that would go on.
  if (operation_.phase.stop_requested()) {
    GHOSTCARD_COVERAGE_MARK("stopped where it would have been tried again");
    return EndStopped();
  }
  if (operation_.run.attempts < recovery.attempts_max) {
    RunCounters::Add(resources_.counters.retried);
    operation_.phase.TryAgain();
    return Step::kRetry;
  }
  return recovery.software_fallback ? EndInSoftware() : End(outcome);
}

Run::Step Run::EndStopped() {
  RunCounters& counters = resources_.counters;
  const Outcome why = operation_.phase.stop_reason();
  RunCounters::Add(why == Outcome::kTimedOut ? counters.timed_out : counters.cancelled);
  if (operation_.run.on_card) {
    if (!resources_.given_up.Add(operation_, resources_.card.clock().Now())) {
      RunCounters::Add(counters.late);
    }
  } else {
    Queue().Remove(operation_);
    PassOn(Queue());
  }
  return End(why);
}

Run::Step Run::EndInSoftware() {
  RunCounters::Add(resources_.counters.in_software);
  operation_.run.in_software = true;
  SetStatus(Status::kOk);
  const bool good = operation_.execute == nullptr || operation_.execute(operation_);
  return End(good ? Outcome::kOk : Outcome::kFailed);
}

Run::Step Run::EndRefused() {
  if (operation_.run.recovery.software_fallback) return EndInSoftware();
  SetStatus(Status::kError);
  return End(Outcome::kRefused);
}

Run::Step Run::EndInChild() {
  // Threads that this process does not have may hold locks for good: take none.
  SetStatus(Status::kError);
  operation_.run.on_card = false;
  operation_.run.outcome = Outcome::kRefused;
  operation_.phase.End();
  return Step::kDone;
}

Run::Step Run::End(Outcome outcome) {
  if (operation_.run.deadline) resources_.deadlines.Remove(operation_);
  if (operation_.queue.context) operation_.queue.context = {};
  operation_.run.outcome = outcome;
  // The phase of a request that is still on the card is shared by card and owner: it stays.
  if (!operation_.run.on_card) operation_.phase.End();
  return Step::kDone;
}

void Run::GiveUp() {
  if (!resources_.fork_guard.InCreator()) {
    static_cast<void>(EndInChild());
    return;
  }
  // The owner is the caller: no thread has to tell it.
  if (operation_.phase.RequestStop(Outcome::kCancelled)) {
    operation_.phase.FinishTelling(Phase::kStopped);
  }
  const Phase phase = operation_.phase.AwaitTold();
  if (phase == Phase::kDone) GHOSTCARD_COVERAGE_MARK("a run was given up with its result there");
  resources_.notifier.Take(operation_);
  static_cast<void>(phase == Phase::kDone ? EndCompleted() : EndStopped());
}

// --- Any thread ---

void Run::Cancel() {
  if (operation_.phase.RequestStop(Outcome::kCancelled)) {
    resources_.notifier.Tell(operation_, Phase::kStopped);
  }
}

void Run::OnCompletion() {
  switch (operation_.phase.OnCompletion()) {
    case RunPhase::CompletionAnswer::kOwnerLooks:
      break;
    case RunPhase::CompletionAnswer::kTellOwner:
      resources_.notifier.Tell(operation_, Phase::kDone);
      break;
    case RunPhase::CompletionAnswer::kLate:
      if (resources_.given_up.OnCompletion(operation_)) {
        RunCounters::Add(resources_.counters.late);
      }
      break;
  }
}

}  // namespace engine::run
