#include "engine/notify/notifier.h"

#include <utility>

#include "hwsim/base/coverage_mark.h"
#include "hwsim/base/fd.h"

namespace engine::notify {

using waitctx::WaitContext;

bool Notifier::Attach(OperationState& operation, Awaited awaited) {
  NotifyState& state = operation.run.notify;
  state.line = nullptr;
  state.told_by_fd = false;
  state.for_space = awaited != Awaited::kCompletion;
  WaitContext* const context = operation.run.context;
  if (operation.run.synchronous || context == nullptr) return false;
  if (!context->callback()) state.line = FindOrMakeLine(*context);
  if (awaited == Awaited::kNextTry) SignalNow(operation);
  if (awaited == Awaited::kCompletion && faults_ != nullptr) StrikeWaiter(operation);
  return state.line != nullptr;
}

WaitLine* Notifier::FindOrMakeLine(WaitContext& context) {
  if (auto entry = context.GetWaitFd(key_)) return static_cast<WaitLine*>(entry->data);
  auto fd = hwsim::EventFd::Create();
  if (!fd) return nullptr;
  const int number = fd->fd();
  auto* line = new WaitLine(std::move(*fd));
  const auto cleanup = [](async_wait_ctx_st*, const void*, int, void* data) {
    delete static_cast<WaitLine*>(data);
  };
  if (!context.SetWaitFd(key_, number, line, cleanup)) {
    delete line;
    return nullptr;
  }
  return line;
}

void Notifier::SignalNow(OperationState& operation) {
  NotifyState& state = operation.run.notify;
  if (state.line == nullptr) return;
  state.told_by_fd = true;
  const hwsim::MutexLock lock(state.line->mutex_);
  ++state.line->tokens_;
  state.line->fd_.Signal();
}

void Notifier::StrikeWaiter(OperationState& operation) {
  NotifyState& state = operation.run.notify;
  const uint32_t queue_pair = operation.run.queue_pair->index();
  if (operation.run.context->callback()) {
    if (const auto fault = faults_->AtCallback(operation, queue_pair)) {
      state.complete_before_pause = fault->time;
    }
  } else if (state.line != nullptr && faults_->AtWait(operation, queue_pair)) {
    const hwsim::MutexLock lock(state.line->mutex_);
    state.line->fd_.Signal();
  }
}

void Notifier::Tell(OperationState& operation, run::Phase next) {
  if (operation.run.synchronous) {
    {
      const std::lock_guard lock(synchronous_mutex_);
      operation.phase.FinishTelling(next);
    }
    synchronous_told_.notify_all();
    return;
  }
  if (operation.run.context == nullptr) {
    not_told_.fetch_add(1, std::memory_order_relaxed);
    operation.phase.FinishTelling(next);
    return;
  }
  // The owner cannot leave while the phase is kTelling, so the context is alive here. The pin keeps
  // callback and line valid after the operation is gone.
  const WaitContext::Pin pin(*operation.run.context);
  NotifyState& state = operation.run.notify;
  WaitLine* const line = pin ? state.line : nullptr;
  const WaitContext::Callback callback = pin ? pin.callback() : WaitContext::Callback{};
  const bool by_fd = line != nullptr && (!callback || state.for_space);
  state.told_by_fd = by_fd;
  if (by_fd) {
    Signal(operation, *line, next);
    return;
  }
  operation.phase.FinishTelling(next);
  if (callback) {
    callbacks_.fetch_add(1, std::memory_order_relaxed);
    callback.function(callback.argument);
  } else {
    GHOSTCARD_COVERAGE_MARK("a completion without callback or fd");
    not_told_.fetch_add(1, std::memory_order_relaxed);
  }
}

void Notifier::Signal(OperationState& operation, WaitLine& line, run::Phase next) {
  bool lost = false;
  bool twice = false;
  if (faults_ != nullptr && next == run::Phase::kDone) {
    const auto fault = faults_->AtTell(operation, operation.run.queue_pair->index());
    lost = fault && fault->kind == hwsim::faults::FaultKind::kWaitFdLost;
    twice = fault && fault->kind == hwsim::faults::FaultKind::kWaitFdTwice;
  }
  waitctx::WaitContextRef context;
  if (lost) context = waitctx::WaitContextRef::Retain(operation.run.context);
  // Before the owner can come and look at the count.
  if (!lost) fd_signals_.fetch_add(1, std::memory_order_relaxed);
  {
    const hwsim::MutexLock lock(line.mutex_);
    ++line.tokens_;
    line.twice_ = line.twice_ || twice;
    operation.phase.FinishTelling(next);
    if (!lost) line.fd_.Signal();
  }
  if (!lost) return;
  const hwsim::MutexLock lock(lost_mutex_);
  lost_.push_back(std::move(context));
  has_lost_.store(true, std::memory_order_release);
}

void Notifier::Take(OperationState& operation) {
  if (std::exchange(operation.run.notify.told_by_fd, false)) Settle(operation, 1);
}

void Notifier::Settle(OperationState& operation, uint32_t tokens_taken) {
  if (operation.run.notify.line == nullptr) return;
  // The context may have been closed meanwhile, and the line with it: ask for it again.
  const auto entry = operation.run.context->GetWaitFd(key_);
  if (!entry || entry->data != operation.run.notify.line) {
    GHOSTCARD_COVERAGE_MARK("an owner came after its context was closed");
    return;
  }
  WaitLine& line = *operation.run.notify.line;
  const hwsim::MutexLock lock(line.mutex_);
  line.fd_.Drain();
  line.tokens_ -= tokens_taken;
  const bool once_more = tokens_taken != 0 && std::exchange(line.twice_, false);
  if (line.tokens_ > 0 || once_more) line.fd_.Signal();
}

void Notifier::WaitWhile(OperationState& operation, run::Phase phase, hwsim::Duration time_max) {
  std::unique_lock lock(synchronous_mutex_);
  synchronous_told_.wait_for(lock, time_max, [&] { return operation.phase.now() != phase; });
}

std::optional<hwsim::TimePoint> Notifier::ResignalLost(hwsim::TimePoint now,
                                                       hwsim::Duration after) {
  if (faults_ == nullptr) return std::nullopt;
  std::vector<waitctx::WaitContextRef> due;
  {
    const hwsim::MutexLock lock(lost_mutex_);
    if (next_resignal_ && *next_resignal_ <= now) due = std::exchange(lost_, {});
  }
  for (waitctx::WaitContextRef& context : due) {
    const WaitContext::Pin pin(*context);
    const auto entry = pin ? context->GetWaitFd(key_) : std::nullopt;
    if (!entry) continue;
    auto& line = *static_cast<WaitLine*>(entry->data);
    const hwsim::MutexLock lock(line.mutex_);
    if (line.tokens_ == 0) {
      GHOSTCARD_COVERAGE_MARK("the owner of a lost signal came by itself");
      continue;
    }
    GHOSTCARD_COVERAGE_MARK("a wait fd was signalled again");
    line.fd_.Signal();
    again_.fetch_add(1, std::memory_order_relaxed);
  }
  const hwsim::MutexLock lock(lost_mutex_);
  has_lost_.store(false, std::memory_order_release);
  if (lost_.empty()) {
    next_resignal_.reset();
  } else if (!next_resignal_ || *next_resignal_ <= now) {
    next_resignal_ = now + after;
  }
  return next_resignal_;
}

std::optional<hwsim::TimePoint> Notifier::NextResignal() const {
  if (faults_ == nullptr) return std::nullopt;
  const hwsim::MutexLock lock(lost_mutex_);
  return next_resignal_;
}

Notifier::Counts Notifier::counts() const {
  return {callbacks_.load(std::memory_order_relaxed), fd_signals_.load(std::memory_order_relaxed),
          not_told_.load(std::memory_order_relaxed), again_.load(std::memory_order_relaxed)};
}

}  // namespace engine::notify
