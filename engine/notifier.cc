#include "engine/notifier.h"

#include <utility>

#include "hwsim/rare.h"

namespace engine {

using waitctx::WaitContext;

bool Notifier::Attach(OperationState& operation) {
  WaitContext* context = operation.context_;
  operation.line_ = nullptr;
  operation.told_by_fd_ = false;
  if (operation.synchronous_ || context == nullptr || context->callback()) return true;
  if (auto entry = context->GetWaitFd(key_)) {
    operation.line_ = static_cast<WaitLine*>(entry->data);
    return true;
  }
  auto fd = hwsim::EventFd::Create();
  if (!fd) return false;
  const int number = fd->fd();
  auto* line = new WaitLine(std::move(*fd));
  const auto cleanup = [](WaitContext*, const void*, int, void* data) {
    delete static_cast<WaitLine*>(data);
  };
  if (!context->SetWaitFd(key_, number, line, cleanup)) {
    delete line;
    return false;
  }
  operation.line_ = line;
  return true;
}

void Notifier::Tell(OperationState& operation, Phase next) {
  if (operation.synchronous_) {
    {
      const std::lock_guard lock(synchronous_mutex_);
      operation.phase_.store(next, std::memory_order_release);
    }
    synchronous_told_.notify_all();
    return;
  }
  if (operation.context_ == nullptr) {
    nobody_.fetch_add(1, std::memory_order_relaxed);
    operation.phase_.store(next, std::memory_order_release);
    return;
  }
  // The owner cannot leave while the phase is kTelling, so the context is there to be pinned;
  // the pin then keeps callback and line valid when the operation itself is gone.
  const WaitContext::Pin pin(*operation.context_);
  WaitLine* const line = pin ? operation.line_ : nullptr;
  const WaitContext::Callback callback = pin ? pin.callback() : WaitContext::Callback{};
  const bool by_fd = line != nullptr && (!callback || operation.for_space_);
  operation.told_by_fd_ = by_fd;
  if (by_fd) {
    Signal(operation, *line, next);
    return;
  }
  operation.phase_.store(next, std::memory_order_release);
  if (callback) {
    callbacks_.fetch_add(1, std::memory_order_relaxed);
    callback.function(callback.argument);
  } else {
    GHOSTCARD_RARE("nobody was there to be told");
    nobody_.fetch_add(1, std::memory_order_relaxed);
  }
}

void Notifier::Signal(OperationState& operation, WaitLine& line, Phase next) {
  bool lost = false;
  bool twice = false;
  if (faults_ != nullptr && next == Phase::kDone) {
    const auto fault = faults_->AtTell(operation, operation.queue_pair_->index());
    lost = fault && fault->kind == hwsim::FaultKind::kWaitFdLost;
    twice = fault && fault->kind == hwsim::FaultKind::kWaitFdTwice;
  }
  waitctx::WaitContextRef context;
  if (lost) context = waitctx::WaitContextRef::Retain(operation.context_);
  // Before the owner can come and look at the count.
  if (!lost) fd_signals_.fetch_add(1, std::memory_order_relaxed);
  {
    const hwsim::MutexLock lock(line.mutex_);
    ++line.tokens_;
    line.twice_ = line.twice_ || twice;
    operation.phase_.store(next, std::memory_order_release);
    if (!lost) line.fd_.Signal();
  }
  if (!lost) return;
  const hwsim::MutexLock lock(untold_mutex_);
  untold_.push_back(std::move(context));
  has_untold_.store(true, std::memory_order_release);
}

void Notifier::StrikeWaiter(OperationState& operation) {
  if (operation.synchronous_ || operation.context_ == nullptr) return;
  const uint32_t queue_pair = operation.queue_pair_->index();
  if (operation.context_->callback()) {
    if (const auto fault = faults_->AtCallback(operation, queue_pair)) {
      operation.worst_moment_ = fault->time;
    }
  } else if (operation.line_ != nullptr && faults_->AtWait(operation, queue_pair)) {
    const hwsim::MutexLock lock(operation.line_->mutex_);
    operation.line_->fd_.Signal();
  }
}

std::optional<hwsim::TimePoint> Notifier::TellAgain(hwsim::TimePoint now, hwsim::Duration after) {
  if (faults_ == nullptr) return std::nullopt;
  std::vector<waitctx::WaitContextRef> due;
  {
    const hwsim::MutexLock lock(untold_mutex_);
    if (tell_again_ && *tell_again_ <= now) due = std::exchange(untold_, {});
  }
  for (waitctx::WaitContextRef& context : due) {
    const WaitContext::Pin pin(*context);
    const auto entry = pin ? context->GetWaitFd(key_) : std::nullopt;
    if (!entry) continue;
    auto& line = *static_cast<WaitLine*>(entry->data);
    const hwsim::MutexLock lock(line.mutex_);
    if (line.tokens_ == 0) {  // its owner came by itself
      GHOSTCARD_RARE("an untold owner came by itself");
      continue;
    }
    GHOSTCARD_RARE("a wait fd was signalled again");
    line.fd_.Signal();
    again_.fetch_add(1, std::memory_order_relaxed);
  }
  const hwsim::MutexLock lock(untold_mutex_);
  has_untold_.store(false, std::memory_order_release);
  if (untold_.empty()) {
    tell_again_.reset();
  } else if (!tell_again_ || *tell_again_ <= now) {
    tell_again_ = now + after;
  }
  return tell_again_;
}

std::optional<hwsim::TimePoint> Notifier::NextTellAgain() const {
  if (faults_ == nullptr) return std::nullopt;
  const hwsim::MutexLock lock(untold_mutex_);
  return tell_again_;
}

void Notifier::Take(OperationState& operation) {
  if (std::exchange(operation.told_by_fd_, false)) Settle(operation, 1);
}

void Notifier::Settle(OperationState& operation, uint32_t tokens_taken) {
  if (operation.line_ == nullptr) return;
  // The context may have been closed meanwhile, and the line with it: ask for it anew.
  const auto entry = operation.context_->GetWaitFd(key_);
  if (!entry || entry->data != operation.line_) {
    GHOSTCARD_RARE("an owner came after its context was closed");
    return;
  }
  WaitLine& line = *operation.line_;
  const hwsim::MutexLock lock(line.mutex_);
  line.fd_.Drain();
  line.tokens_ -= tokens_taken;
  const bool once_more = tokens_taken != 0 && std::exchange(line.twice_, false);
  if (line.tokens_ > 0 || once_more) line.fd_.Signal();
}

void Notifier::TellSelf(OperationState& operation) {
  if (operation.line_ == nullptr) return;
  operation.told_by_fd_ = true;
  const hwsim::MutexLock lock(operation.line_->mutex_);
  ++operation.line_->tokens_;
  operation.line_->fd_.Signal();
}

void Notifier::WaitWhile(OperationState& operation, Phase phase, hwsim::Duration time_max) {
  std::unique_lock lock(synchronous_mutex_);
  synchronous_told_.wait_for(
      lock, time_max, [&] { return operation.phase_.load(std::memory_order_acquire) != phase; });
}

Notifier::Counts Notifier::counts() const {
  return {callbacks_.load(std::memory_order_relaxed), fd_signals_.load(std::memory_order_relaxed),
          nobody_.load(std::memory_order_relaxed), again_.load(std::memory_order_relaxed)};
}

}  // namespace engine
