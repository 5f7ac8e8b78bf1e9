#include "engine/engine.h"

#include <algorithm>
#include <array>
#include <thread>

#include "hwsim/check.h"
#include "hwsim/rare.h"

namespace engine {

using hwsim::CompletionService;
using hwsim::CompletionStatus;
using hwsim::MutexLock;
using hwsim::SubmitStatus;
using waitctx::Status;
using waitctx::WaitContext;

namespace {

// Told apart from engines that come later at the same address.
uint64_t NextEngineId() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

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

// No address, so that no key of anyone else's is the same.
const void* KeyOf(uint64_t engine_id) {
  return reinterpret_cast<const void*>(uint64_t{1} << 63 | engine_id);
}

// Makes `time` the earlier of the two; none is never.
void Sooner(std::optional<hwsim::TimePoint>& time, std::optional<hwsim::TimePoint> other) {
  if (other && (!time || *other < *time)) time = other;
}

void SetStatus(WaitContext* context, Status status) {
  if (context != nullptr) context->set_status(status);
}

}  // namespace

std::string_view OutcomeName(Outcome outcome) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "ok", "failed", "device_error", "refused", "timed_out", "cancelled", "busy"};
  return kNames[static_cast<size_t>(outcome)];
}

std::string_view RetryPolicyName(RetryPolicy policy) {
  return policy == RetryPolicy::kWhenSpace ? "when_space" : "immediate";
}

void OperationState::Release() {
  Phase phase = phase_.load(std::memory_order_acquire);
  if (phase == Phase::kStopped && on_card_) {
    // Either the card is told that it is the last one, or it has let go and we are.
    if (phase_.compare_exchange_strong(phase, Phase::kAbandoned, std::memory_order_acq_rel)) return;
  }
  GHOSTCARD_CHECK(phase == Phase::kIdle || phase == Phase::kDone || phase == Phase::kStopped,
                  "an operation is destroyed while a run of it is under way");
  deleter_(this);
}

hwsim::Expected<std::unique_ptr<Engine>> Engine::Create(std::unique_ptr<hwsim::Card> card,
                                                        Options options) {
  std::unique_ptr<Engine> engine(new Engine(std::move(card), options));
  Engine* const self = engine.get();
  auto service = CompletionService::Create(
      *engine->card_,
      {.mode = options.completion,
       .poll_interval = options.poll_interval,
       .watchdog_interval = options.watchdog_interval,
       .handler = [self](auto& queue_pair,
                         auto requests) { self->OnCompleted(queue_pair, requests); },
       .on_time = [self](hwsim::TimePoint now) { return self->OnTime(now); }});
  if (!service) return hwsim::Unexpected(std::move(service.error()));
  engine->service_ = std::move(*service);
  return engine;
}

Engine::Engine(std::unique_ptr<hwsim::Card> card, Options options)
    : options_(options),
      binding_(options.binding != nullptr ? *options.binding : own_jobs_),
      id_(NextEngineId()),
      notifier_(KeyOf(id_), NotificationFaults::Create(*card)),
      health_(std::make_unique<HealthWatch>(*card, options.health)),
      poll_interval_(options.poll_interval),
      card_(std::move(card)) {
  for (const auto& queue_pair : card_->queue_pairs()) {
    retry_queues_.push_back(std::make_unique<RetryQueue>(*queue_pair, notifier_));
  }
}

Engine::~Engine() {
  if (!fork_guard_.InCreator()) {
    // The threads and rings behind these are the parent's.
    static_cast<void>(service_.release());
    static_cast<void>(card_.release());
    return;
  }
  service_.reset();
  card_.reset();
  // Nothing is on the card any more: what was given up is its owner's, or nobody's.
  std::unordered_set<OperationState*> given_up;
  {
    const MutexLock lock(given_up_mutex_);
    given_up.swap(given_up_);
  }
  for (OperationState* operation : given_up) {
    const Phase before = operation->phase_.exchange(Phase::kDone, std::memory_order_acq_rel);
    if (before == Phase::kAbandoned) operation->deleter_(operation);
  }
}

// --- the owner's side ---

Outcome Engine::Run(OperationHandle& handle, const RunOptions& options) {
  OperationState& operation = *handle.state_;
  const bool synchronous = options.in_place || !binding_.CanPause();
  if (synchronous) synchronous_.fetch_add(1, std::memory_order_relaxed);
  WaitContext* const context = options.in_place ? nullptr : binding_.Context();
  for (Step step = Begin(operation, context, synchronous, options); step == Step::kWait;
       step = Advance(operation)) {
    if (synchronous) {
      const bool retries = operation.phase_.load(std::memory_order_acquire) == Phase::kRetry;
      retries ? WaitForNextTry() : WaitInPlace(operation);
      continue;
    }
    if (operation.worst_moment_ != hwsim::Duration::zero()) LetItBeToldNow(operation);
    if (binding_.Pause(PausedRun(*this, operation))) continue;
    // It may not have paused: then nobody else may be there to look.
    const Phase phase = operation.phase_.load(std::memory_order_acquire);
    if (IsWaiting(phase) || phase == Phase::kRetry) Poll();
    if (IsWaiting(phase)) std::this_thread::yield();
  }
  if (context != nullptr) binding_.End(context);
  return operation.outcome_;
}

Engine::Step Engine::Begin(OperationState& operation, WaitContext* context, bool synchronous,
                           const RunOptions& options) {
  const Phase phase = operation.phase_.load(std::memory_order_acquire);
  GHOSTCARD_CHECK(phase == Phase::kIdle || phase == Phase::kDone || phase == Phase::kStopped,
                  "an operation is run while a run of it is under way");
  if (phase == Phase::kStopped) {
    operation.outcome_ = Outcome::kBusy;
    return Step::kDone;
  }
  operation.context_ = context;
  operation.synchronous_ = synchronous;
  operation.line_ = nullptr;
  operation.told_by_fd_ = false;
  operation.on_card_ = false;
  operation.status = CompletionStatus::kPending;
  operation.done.store(false, std::memory_order_relaxed);
  operation.stop_.store(Outcome::kOk, std::memory_order_relaxed);
  operation.phase_.store(Phase::kRetry, std::memory_order_relaxed);
  operation.deadline_.reset();
  operation.recovery_ = options.recovery.value_or(options_.recovery);
  operation.attempts_ = 0;
  operation.in_software_ = false;
  operation.worst_moment_ = hwsim::Duration::zero();
  operation.retries_left_ = synchronous ? options.retries_max : std::nullopt;
  if (!fork_guard_.InCreator()) return EndInChild(operation);
  const uint32_t index = options.queue_pair ? *options.queue_pair : QueuePairOfThread();
  // A card may have come up with fewer than were asked for.
  if (index >= card_->queue_pairs().size()) {
    if (operation.recovery_.software_fallback) return EndInSoftware(operation);
    SetStatus(context, Status::kError);
    return End(operation, Outcome::kRefused);
  }
  operation.queue_pair_ = card_->queue_pairs()[index].get();
  if (const auto limit = options.time_limit ? options.time_limit : options_.time_limit) {
    operation.deadline_ = card_->clock().Now() + *limit;
    if (deadlines_.Add(operation)) service_->Wake();
  }
  return Submit(operation);
}

Engine::Step Engine::Advance(OperationState& operation) {
  if (!fork_guard_.InCreator()) return EndInChild(operation);
  switch (operation.phase_.load(std::memory_order_acquire)) {
    case Phase::kDone: {
      notifier_.Take(operation);
      const Step step = EndCompleted(operation);
      return step == Step::kRetry ? Submit(operation) : step;
    }
    case Phase::kStopped:
      notifier_.Take(operation);
      return EndStopped(operation);
    case Phase::kGranted:
    case Phase::kRetry:
      notifier_.Take(operation);
      return Submit(operation);
    case Phase::kPaused:
    case Phase::kQueued:
    case Phase::kTelling:
      // Resumed though nobody told it: by trial, or for somebody else on the same context.
      spurious_.fetch_add(1, std::memory_order_relaxed);
      notifier_.Clear(operation);
      return Step::kWait;
    case Phase::kIdle:
    case Phase::kRunning:
    case Phase::kAbandoned:
      break;
  }
  GHOSTCARD_CHECK(false, "an operation that is not under way was resumed");
}

Engine::Step Engine::Submit(OperationState& operation) {
  Step step = TrySubmit(operation);
  while (step == Step::kRetry) step = TrySubmit(operation);
  return step;
}

Engine::Step Engine::TrySubmit(OperationState& operation) {
  if (operation.stop_.load(std::memory_order_seq_cst) != Outcome::kOk) {
    GHOSTCARD_RARE("stopped before a submit");
    return EndStopped(operation);
  }
  const bool granted = operation.phase_.load(std::memory_order_relaxed) == Phase::kGranted;
  // Before the submit: once the card has it, the callback may run and look.
  SetStatus(operation.context_, Status::kOk);
  switch (RetryQueueOf(operation).Submit(operation)) {
    case SubmitStatus::kOk:
      ++operation.attempts_;
      service_->NoteSubmitted();
      if (health_->NoteSubmitted()) service_->Wake();
      return WaitForCompletion(operation);
    case SubmitStatus::kAgain:
      again_.fetch_add(1, std::memory_order_relaxed);
      if (!operation.retries_left_) {
        SetStatus(operation.context_, Status::kAgain);
        return WaitForSpace(operation, granted);
      }
      if (*operation.retries_left_ == 0) break;
      --*operation.retries_left_;
      return Step::kWait;
    case SubmitStatus::kError:
      break;
  }
  return OnRefused(operation, granted);
}

Engine::Step Engine::OnRefused(OperationState& operation, bool granted) {
  using Admission = hwsim::QueuePair::Admission;
  const bool restarting = operation.queue_pair_->admission() == Admission::kClosed;
  if (restarting && operation.recovery_.wait_for_restart) {
    GHOSTCARD_RARE("waited for a restart");
    SetStatus(operation.context_, Status::kAgain);
    return WaitForSpace(operation, granted);
  }
  PassOn(RetryQueueOf(operation));
  if (operation.recovery_.software_fallback) return EndInSoftware(operation);
  SetStatus(operation.context_, Status::kError);
  return End(operation, Outcome::kRefused);
}

Engine::Step Engine::EndInSoftware(OperationState& operation) {
  in_software_.fetch_add(1, std::memory_order_relaxed);
  operation.in_software_ = true;
  SetStatus(operation.context_, Status::kOk);
  const bool good = operation.execute == nullptr || operation.execute(operation);
  return End(operation, good ? Outcome::kOk : Outcome::kFailed);
}

Engine::Step Engine::WaitForCompletion(OperationState& operation) {
  operation.on_card_ = true;
  Phase phase = Phase::kRunning;
  if (operation.phase_.load(std::memory_order_acquire) == phase) {
    operation.for_space_ = false;
    notifier_.Attach(operation);
    notifier_.StrikeBeforeWait(operation);
    // seq_cst with stop_: either we see that it is to stop, or Stop sees that we wait.
    if (operation.phase_.compare_exchange_strong(phase, Phase::kPaused,
                                                 std::memory_order_seq_cst)) {
      phase = Phase::kPaused;
      if (operation.stop_.load(std::memory_order_seq_cst) == Outcome::kOk ||
          !operation.phase_.compare_exchange_strong(phase, Phase::kStopped,
                                                    std::memory_order_acq_rel)) {
        return Step::kWait;
      }
      return EndStopped(operation);
    }
  }
  return EndCompleted(operation);
}

Engine::Step Engine::WaitForSpace(OperationState& operation, bool at_head) {
  operation.for_space_ = true;
  notifier_.Attach(operation);
  if (options_.retry == RetryPolicy::kImmediate && !operation.synchronous_) {
    notifier_.TellSelf(operation);
    return Step::kWait;
  }
  const bool can_be_told = operation.synchronous_ || operation.line_ != nullptr ||
                           (options_.callback_when_space && operation.context_ != nullptr);
  if (!can_be_told) return Step::kWait;
  RetryQueue& queue = RetryQueueOf(operation);
  if (queue.Add(operation, at_head)) {
    GHOSTCARD_RARE("a slot came free as it queued");
    return TrySubmit(operation);
  }
  Phase phase = Phase::kQueued;
  if (operation.stop_.load(std::memory_order_seq_cst) != Outcome::kOk &&
      operation.phase_.compare_exchange_strong(phase, Phase::kStopped, std::memory_order_acq_rel)) {
    return EndStopped(operation);
  }
  PassOn(queue);
  // Contexts may be closed at any time, and nobody says so: look now and then while somebody waits.
  if (!sweeping_.exchange(true, std::memory_order_acq_rel)) service_->Wake();
  return Step::kWait;
}

void Engine::PassOn(RetryQueue& queue) {
  if (queue.NeedsGrant()) service_->Wake();
}

Engine::Step Engine::EndCompleted(OperationState& operation) {
  operation.on_card_ = false;
  const Outcome outcome = OutcomeOf(operation.status);
  const bool wanted = operation.stop_.load(std::memory_order_seq_cst) == Outcome::kOk;
  if (outcome != Outcome::kDeviceError) return End(operation, outcome);
  const Recovery& recovery = operation.recovery_;
  if (recovery.attempts_max <= 1 && !recovery.software_fallback) return End(operation, outcome);
  // It would have gone on.
  if (!wanted) {
    GHOSTCARD_RARE("stopped where it would have been tried again");
    return EndStopped(operation);
  }
  if (operation.attempts_ < recovery.attempts_max) {
    retried_.fetch_add(1, std::memory_order_relaxed);
    operation.phase_.store(Phase::kRetry, std::memory_order_relaxed);
    return Step::kRetry;
  }
  return recovery.software_fallback ? EndInSoftware(operation) : End(operation, outcome);
}

Engine::Step Engine::EndStopped(OperationState& operation) {
  const Outcome why = operation.stop_.load(std::memory_order_acquire);
  (why == Outcome::kTimedOut ? timed_out_ : cancelled_).fetch_add(1, std::memory_order_relaxed);
  if (operation.on_card_) {
    const MutexLock lock(given_up_mutex_);
    // Unless its completion came just now: then nothing is left to wait for.
    if (operation.phase_.load(std::memory_order_acquire) == Phase::kStopped) {
      operation.given_up_at_ = card_->clock().Now();
      given_up_.insert(&operation);
    } else {
      late_.fetch_add(1, std::memory_order_relaxed);
    }
  } else {
    RetryQueueOf(operation).Remove(operation);
    PassOn(RetryQueueOf(operation));
  }
  return End(operation, why);
}

Engine::Step Engine::End(OperationState& operation, Outcome outcome) {
  if (operation.deadline_) deadlines_.Remove(operation);
  if (operation.queued_context_) operation.queued_context_ = {};
  operation.outcome_ = outcome;
  operation.worst_moment_ = hwsim::Duration::zero();
  // A given-up request that is still on the card keeps its phase: it is between card and owner.
  if (!operation.on_card_) operation.phase_.store(Phase::kIdle, std::memory_order_relaxed);
  return Step::kDone;
}

Engine::Step Engine::EndInChild(OperationState& operation) {
  // Locks may be held for good by threads that this process does not have: touch none.
  SetStatus(operation.context_, Status::kError);
  operation.on_card_ = false;
  operation.outcome_ = Outcome::kRefused;
  operation.phase_.store(Phase::kIdle, std::memory_order_relaxed);
  return Step::kDone;
}

bool Engine::IsWaiting(Phase phase) {
  return phase == Phase::kPaused || phase == Phase::kQueued || phase == Phase::kTelling;
}

void Engine::WaitInPlace(OperationState& operation) {
  constexpr int kSpins = 64;
  hwsim::Duration nap = std::chrono::microseconds(20);
  for (int spins = 0;; ++spins) {
    const Phase phase = operation.phase_.load(std::memory_order_acquire);
    if (!IsWaiting(phase)) return;
    if (!fork_guard_.InCreator()) return;  // a callback of the poll's forked: we are the child
    if (Poll() > 0) continue;
    const std::optional<hwsim::TimePoint> deadline = NextDeadline();
    if (deadline ? card_->LetTimePassUntil(*deadline) : card_->LetTimePass()) continue;
    if (phase == Phase::kTelling || spins < kSpins) {
      std::this_thread::yield();
      continue;
    }
    // Short at first: in inline mode nobody but us looks.
    notifier_.WaitWhile(operation, phase, nap);
    nap = std::min<hwsim::Duration>(2 * nap, std::chrono::milliseconds(1));
  }
}

void Engine::LetItBeToldNow(OperationState& operation) {
  const hwsim::Duration limit = std::exchange(operation.worst_moment_, hwsim::Duration::zero());
  const hwsim::TimePoint until = card_->clock().Now() + limit;
  // Another thread, as the callback's user may believe that there is none.
  std::thread([&] {
    while (operation.phase_.load(std::memory_order_acquire) == Phase::kPaused &&
           card_->clock().Now() < until) {
      if (Poll() == 0 && !card_->LetTimePassUntil(until)) std::this_thread::yield();
    }
  }).join();
}

void Engine::WaitForNextTry() {
  if (Poll() > 0 || card_->LetTimePass()) return;
  std::this_thread::sleep_for(poll_interval_.load(std::memory_order_relaxed));
}

void Engine::SetPollInterval(hwsim::Duration interval) {
  poll_interval_.store(interval, std::memory_order_relaxed);
  service_->SetPollInterval(interval);
}

void Engine::SetWatchdogInterval(hwsim::Duration interval) {
  service_->SetWatchdogInterval(interval);
}

WaitContext* PausedRun::context() const { return operation_->context_; }

void PausedRun::GiveUp() const {
  engine_->GiveUp(*operation_);
  operation_->Release();
}

void Engine::GiveUp(OperationState& operation) {
  if (!fork_guard_.InCreator()) {
    static_cast<void>(EndInChild(operation));
    return;
  }
  if (Stop(operation, Outcome::kCancelled)) {
    operation.phase_.store(Phase::kStopped, std::memory_order_release);
  }
  Phase phase = operation.phase_.load(std::memory_order_acquire);
  for (; phase == Phase::kTelling; phase = operation.phase_.load(std::memory_order_acquire)) {
    std::this_thread::yield();  // somebody reads whom to tell: no user code runs in between
  }
  if (phase == Phase::kDone) GHOSTCARD_RARE("a run was given up with its result there");
  notifier_.Take(operation);
  static_cast<void>(phase == Phase::kDone ? EndCompleted(operation) : EndStopped(operation));
}

RetryQueue& Engine::RetryQueueOf(const OperationState& operation) {
  return *retry_queues_[operation.queue_pair_->index()];
}

uint32_t Engine::QueuePairOfThread() {
  struct Choice {
    uint64_t engine = 0;
    uint32_t index = 0;
  };
  thread_local Choice choice;
  if (choice.engine != id_) {
    const uint32_t turn = next_queue_pair_.fetch_add(1, std::memory_order_relaxed);
    choice = {id_, turn % static_cast<uint32_t>(card_->queue_pairs().size())};
  }
  return choice.index;
}

// --- any thread's side ---

bool Engine::Stop(OperationState& operation, Outcome why) {
  // The first reason stands. seq_cst with phase_: see WaitForCompletion.
  const auto set_reason = [&] {
    Outcome none = Outcome::kOk;
    operation.stop_.compare_exchange_strong(none, why, std::memory_order_seq_cst);
  };
  set_reason();
  for (const Phase waiting : {Phase::kPaused, Phase::kQueued}) {
    Phase phase = waiting;
    if (operation.phase_.compare_exchange_strong(phase, Phase::kTelling,
                                                 std::memory_order_seq_cst)) {
      // Again: a run may have ended, and the next begun, in between. It is that one that stops.
      set_reason();
      return true;
    }
  }
  return false;
}

void Engine::Cancel(OperationHandle& handle) {
  if (!fork_guard_.InCreator()) return;
  OperationState& operation = *handle.state_;
  if (Stop(operation, Outcome::kCancelled)) notifier_.Tell(operation, Phase::kStopped);
}

void Engine::OnCompleted(hwsim::QueuePair& queue_pair, std::span<hwsim::Request* const> requests) {
  health_->NoteCompleted(requests.size());
  for (hwsim::Request* const request : requests) {
    auto& operation = static_cast<OperationState&>(*request);
    Phase phase = operation.phase_.load(std::memory_order_acquire);
    for (bool settled = false; !settled;) {
      switch (phase) {
        case Phase::kRunning:
          // Its owner has not gone to wait: it finds the result without being told.
          settled = operation.phase_.compare_exchange_weak(phase, Phase::kDone,
                                                           std::memory_order_acq_rel);
          break;
        case Phase::kPaused:
          settled = operation.phase_.compare_exchange_weak(phase, Phase::kTelling,
                                                           std::memory_order_acq_rel);
          if (settled) notifier_.Tell(operation, Phase::kDone);
          break;
        case Phase::kTelling:
          // Being cancelled: no user code runs before it is kStopped.
          std::this_thread::yield();
          phase = operation.phase_.load(std::memory_order_acquire);
          break;
        case Phase::kStopped:
        case Phase::kAbandoned:
          OnLate(operation);
          settled = true;
          break;
        default:
          GHOSTCARD_CHECK(false, "the card completed a request that it did not have");
      }
    }
  }
  retry_queues_[queue_pair.index()]->Grant();
  if (notifier_.HasUntold()) service_->Wake();
}

void Engine::OnLate(OperationState& operation) {
  Phase before;
  {
    const MutexLock lock(given_up_mutex_);
    // Otherwise its owner was told to stop and has not looked yet: it will find the result.
    if (given_up_.erase(&operation) != 0) {
      late_.fetch_add(1, std::memory_order_relaxed);
    } else {
      GHOSTCARD_RARE("completed between its stop and its owner's look");
    }
    before = operation.phase_.exchange(Phase::kDone, std::memory_order_acq_rel);
  }
  if (before != Phase::kAbandoned) return;
  GHOSTCARD_RARE("an abandoned operation came back");
  operation.deleter_(&operation);
}

std::optional<hwsim::TimePoint> Engine::OnTime(hwsim::TimePoint now) {
  deadlines_.Expire(
      now, [](OperationState& operation) { return Stop(operation, Outcome::kTimedOut); },
      [this](OperationState& operation) { notifier_.Tell(operation, Phase::kStopped); });
  std::optional<hwsim::TimePoint> next = deadlines_.Next();
  // Before the look: who adds itself after it sets the flag again, and wakes us.
  sweeping_.exchange(false, std::memory_order_acq_rel);
  if (GrantAll()) {
    sweeping_.exchange(true, std::memory_order_acq_rel);
    Sooner(next, now + options_.watchdog_interval);
  }
  const auto on_card = [this] { return in_flight(); };
  const auto oldest_given_up = [this] { return OldestGivenUp(); };
  Sooner(next, health_->Look(now, on_card, oldest_given_up));
  Sooner(next, notifier_.TellAgain(now, options_.watchdog_interval));
  return next;
}

std::optional<hwsim::TimePoint> Engine::OldestGivenUp() {
  std::optional<hwsim::TimePoint> oldest;
  const MutexLock lock(given_up_mutex_);
  for (const OperationState* operation : given_up_) Sooner(oldest, operation->given_up_at_);
  return oldest;
}

bool Engine::GrantAll() {
  bool crowded = false;
  for (const auto& queue : retry_queues_) {
    queue->Grant();
    crowded = crowded || queue->crowded();
  }
  return crowded;
}

size_t Engine::Poll(size_t quota) {
  if (!fork_guard_.InCreator()) return 0;
  const size_t handled = service_->Poll(quota);
  GrantAll();
  return handled;
}

size_t Engine::PollHeuristically(size_t active_jobs, size_t threshold) {
  const size_t pending = in_flight();
  bool worth_while = pending > 0 && (pending >= threshold || pending >= active_jobs);
  for (size_t i = 0; i < retry_queues_.size() && !worth_while; ++i) {
    const hwsim::QueuePair& queue_pair = *card_->queue_pairs()[i];
    // Jobs wait for space here, which only a poll makes.
    worth_while = retry_queues_[i]->crowded() || queue_pair.in_flight() >= queue_pair.depth();
  }
  if (!worth_while) {
    const auto deadline = NextDeadline();
    worth_while = deadline && *deadline <= card_->clock().Now();
  }
  return worth_while ? Poll() : 0;
}

std::optional<hwsim::TimePoint> Engine::NextDeadline() const {
  if (!fork_guard_.InCreator()) return std::nullopt;
  std::optional<hwsim::TimePoint> next = deadlines_.Next();
  Sooner(next, health_->NextLook());
  Sooner(next, notifier_.NextTellAgain());
  return next;
}

size_t Engine::in_flight() const {
  size_t total = 0;
  for (const auto& queue_pair : card_->queue_pairs()) total += queue_pair->in_flight();
  return total;
}

Engine::Stats Engine::stats() const {
  Stats stats;
  for (const auto& queue_pair : card_->queue_pairs()) {
    const hwsim::QueuePair::Counts counts = queue_pair->counts();
    stats.accepted += counts.accepted;
    stats.refused += counts.refused_error;
    stats.succeeded += counts.succeeded;
    stats.failed += counts.failed;
  }
  const Notifier::Counts told = notifier_.counts();
  stats.callbacks = told.callbacks;
  stats.fd_signals = told.fd_signals;
  stats.told_nobody = told.nobody;
  stats.again = again_.load(std::memory_order_relaxed);
  stats.late = late_.load(std::memory_order_relaxed);
  stats.timed_out = timed_out_.load(std::memory_order_relaxed);
  stats.cancelled = cancelled_.load(std::memory_order_relaxed);
  stats.spurious_resumes = spurious_.load(std::memory_order_relaxed);
  stats.synchronous = synchronous_.load(std::memory_order_relaxed);
  stats.retried = retried_.load(std::memory_order_relaxed);
  stats.in_software = in_software_.load(std::memory_order_relaxed);
  stats.resets = health_->counts().resets;
  stats.heartbeat_false_alarms = health_->counts().false_alarms;
  stats.told_again = told.again;
  stats.service = service_->stats();
  return stats;
}

}  // namespace engine
