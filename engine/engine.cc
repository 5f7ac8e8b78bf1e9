#include "engine/engine.h"

#include <atomic>
#include <utility>

#include "engine/run/in_place_wait.h"
#include "engine/run/run.h"

namespace engine {

using hwsim::completion::CompletionService;
using waitctx::WaitContext;
using Step = run::Run::Step;

namespace {

// Tells an engine from later ones at the same address.
uint64_t NextEngineId() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// The key is not a valid address, so it cannot collide with another caller's key.
const void* KeyOf(uint64_t engine_id) {
  return reinterpret_cast<const void*>(uint64_t{1} << 63 | engine_id);
}

std::vector<std::unique_ptr<run::RetryQueue>> MakeRetryQueues(hwsim::card::Card& card,
                                                              notify::Notifier& notifier) {
  std::vector<std::unique_ptr<run::RetryQueue>> queues;
  for (const auto& queue_pair : card.queue_pairs()) {
    queues.push_back(std::make_unique<run::RetryQueue>(*queue_pair, notifier));
  }
  return queues;
}

}  // namespace

hwsim::Expected<std::unique_ptr<Engine>> Engine::Create(std::unique_ptr<hwsim::card::Card> card,
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
  engine->resources_.service = engine->service_.get();
  return engine;
}

Engine::Engine(std::unique_ptr<hwsim::card::Card> card, Options options)
    : options_(options),
      binding_(options.binding != nullptr ? *options.binding : own_jobs_),
      id_(NextEngineId()),
      notifier_(KeyOf(id_), notify::NotificationFaults::Create(*card)),
      health_(*card, options.health),
      retry_queues_(MakeRetryQueues(*card, notifier_)),
      card_(std::move(card)),
      resources_{
          .engine_id = id_,
          .policy = {.retry = options.retry,
                     .time_limit = options.time_limit,
                     .recovery = options.recovery,
                     .callback_when_space = options.callback_when_space},
          .fork_guard = fork_guard_,
          .card = *card_,
          .retry_queues = retry_queues_,
          .notifier = notifier_,
          .health = health_,
          .deadlines = deadlines_,
          .given_up = given_up_,
          .poll_interval = options.poll_interval,
      } {}

Engine::~Engine() {
  if (!fork_guard_.InCreator()) {
    // The threads and rings behind these belong to the parent.
    static_cast<void>(service_.release());
    static_cast<void>(card_.release());
    return;
  }
  service_.reset();
  card_.reset();
  given_up_.LetGoOfAll();
}

// --- The owner's thread ---

Outcome Engine::Run(OperationHandle& handle, const RunOptions& options) {
  OperationState& operation = *handle.state_;
  const bool synchronous = options.in_place || !binding_.CanPause();
  if (synchronous) run::RunCounters::Add(resources_.counters.synchronous);
  WaitContext* const context = options.in_place ? nullptr : binding_.Context();
  run::Run run(resources_, operation);
  for (Step step = run.Begin(context, synchronous, options); step == Step::kWait;
       step = run.Advance()) {
    if (synchronous) {
      run::WaitInPlace(resources_, operation);
      continue;
    }
    run.BeforePause();
    if (binding_.Pause(PausedRun(resources_, operation))) continue;
    run::PollOnce(resources_, operation);
  }
  if (context != nullptr) binding_.End(context);
  return run.outcome();
}

WaitContext* PausedRun::context() const { return operation_->run.context; }

void PausedRun::GiveUp() const {
  run::Run(*resources_, *operation_).GiveUp();
  operation_->Release();
}

// --- Any thread ---

void Engine::Cancel(OperationHandle& handle) {
  if (fork_guard_.InCreator()) run::Run(resources_, *handle.state_).Cancel();
}

void Engine::OnCompleted(hwsim::rings::QueuePair& queue_pair,
                         std::span<hwsim::operations::Request* const> requests) {
  health_.NoteCompleted(requests.size());
  for (hwsim::operations::Request* const request : requests) {
    run::Run(resources_, static_cast<OperationState&>(*request)).OnCompletion();
  }
  retry_queues_[queue_pair.index()]->Grant();
  if (notifier_.HasLost()) service_->Wake();
}

std::optional<hwsim::TimePoint> Engine::OnTime(hwsim::TimePoint now) {
  deadlines_.Expire(
      now,
      [](OperationState& operation) { return operation.phase.RequestStop(Outcome::kTimedOut); },
      [this](OperationState& operation) { notifier_.Tell(operation, run::Phase::kStopped); });
  std::optional<hwsim::TimePoint> next = deadlines_.Next();
  // Before the look: a thread that adds an operation after the look sets the flag again, and wakes
  // this timer.
  resources_.sweeping.exchange(false, std::memory_order_acq_rel);
  if (resources_.GrantAll()) {
    resources_.sweeping.exchange(true, std::memory_order_acq_rel);
    run::KeepEarlier(next, now + options_.watchdog_interval);
  }
  const auto on_card = [this] { return in_flight(); };
  const auto oldest_given_up = [this] { return given_up_.Oldest(); };
  run::KeepEarlier(next, health_.Look(now, on_card, oldest_given_up));
  run::KeepEarlier(next, notifier_.ResignalLost(now, options_.watchdog_interval));
  return next;
}

size_t Engine::Poll(size_t quota) { return resources_.Poll(quota); }

size_t Engine::PollHeuristically(size_t active_jobs, size_t threshold) {
  const size_t pending = in_flight();
  bool needed = pending > 0 && (pending >= threshold || pending >= active_jobs);
  for (size_t i = 0; i < retry_queues_.size() && !needed; ++i) {
    const hwsim::rings::QueuePair& queue_pair = *card_->queue_pairs()[i];
    // Jobs wait for space, and only a poll makes space.
    needed = retry_queues_[i]->crowded() || queue_pair.in_flight() >= queue_pair.depth();
  }
  if (!needed) {
    const auto deadline = NextDeadline();
    needed = deadline && *deadline <= card_->clock().Now();
  }
  return needed ? Poll() : 0;
}

std::optional<hwsim::TimePoint> Engine::NextDeadline() const { return resources_.NextDeadline(); }

void Engine::SetPollInterval(hwsim::Duration interval) {
  resources_.poll_interval.store(interval, std::memory_order_relaxed);
  service_->SetPollInterval(interval);
}

void Engine::SetWatchdogInterval(hwsim::Duration interval) {
  service_->SetWatchdogInterval(interval);
}

size_t Engine::in_flight() const {
  size_t total = 0;
  for (const auto& queue_pair : card_->queue_pairs()) total += queue_pair->in_flight();
  return total;
}

Engine::Stats Engine::stats() const {
  Stats stats;
  for (const auto& queue_pair : card_->queue_pairs()) {
    const hwsim::rings::QueuePair::Counts counts = queue_pair->counts();
    stats.accepted += counts.accepted;
    stats.refused += counts.refused_error;
    stats.succeeded += counts.succeeded;
    stats.failed += counts.failed;
  }
  const notify::Notifier::Counts told = notifier_.counts();
  stats.callbacks = told.callbacks;
  stats.fd_signals = told.fd_signals;
  stats.not_told = told.not_told;
  const run::RunCounters& counters = resources_.counters;
  stats.again = counters.again.load(std::memory_order_relaxed);
  stats.late = counters.late.load(std::memory_order_relaxed);
  stats.timed_out = counters.timed_out.load(std::memory_order_relaxed);
  stats.cancelled = counters.cancelled.load(std::memory_order_relaxed);
  stats.spurious_resumes = counters.spurious.load(std::memory_order_relaxed);
  stats.synchronous = counters.synchronous.load(std::memory_order_relaxed);
  stats.retried = counters.retried.load(std::memory_order_relaxed);
  stats.in_software = counters.in_software.load(std::memory_order_relaxed);
  stats.resets = health_.counts().resets;
  stats.heartbeat_false_alarms = health_.counts().false_alarms;
  stats.told_again = told.again;
  stats.service = service_->stats();
  return stats;
}

}  // namespace engine
