#include "engine/notifier.h"

#include <utility>

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
    fd_signals_.fetch_add(1, std::memory_order_relaxed);
    const hwsim::MutexLock lock(line->mutex_);
    ++line->tokens_;
    operation.phase_.store(next, std::memory_order_release);
    line->fd_.Signal();
    return;
  }
  operation.phase_.store(next, std::memory_order_release);
  if (callback) {
    callbacks_.fetch_add(1, std::memory_order_relaxed);
    callback.function(callback.argument);
  } else {
    nobody_.fetch_add(1, std::memory_order_relaxed);
  }
}

void Notifier::Take(OperationState& operation) {
  if (std::exchange(operation.told_by_fd_, false)) Settle(operation, 1);
}

void Notifier::Settle(OperationState& operation, uint32_t tokens_taken) {
  if (operation.line_ == nullptr) return;
  // The context may have been closed meanwhile, and the line with it: ask for it anew.
  const auto entry = operation.context_->GetWaitFd(key_);
  if (!entry || entry->data != operation.line_) return;
  WaitLine& line = *operation.line_;
  const hwsim::MutexLock lock(line.mutex_);
  line.fd_.Drain();
  line.tokens_ -= tokens_taken;
  if (line.tokens_ > 0) line.fd_.Signal();
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
          nobody_.load(std::memory_order_relaxed)};
}

}  // namespace engine
