#include "engine/notifier.h"

#include <utility>

namespace engine {

using waitctx::WaitContext;

bool Notifier::Attach(OperationState& operation) {
  WaitContext* context = operation.context_;
  operation.line_ = nullptr;
  operation.told_by_fd_ = false;
  if (operation.synchronous_ || context == nullptr || context->callback()) return true;
  if (auto entry = context->GetWaitFd(this)) {
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
  if (!context->SetWaitFd(this, number, line, cleanup)) {
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
  WaitContext::Pin pin(*operation.context_);
  const WaitContext::Callback callback = pin ? pin.callback() : WaitContext::Callback{};
  WaitLine* const line = pin && !callback ? operation.line_ : nullptr;
  operation.told_by_fd_ = line != nullptr;
  if (line != nullptr) line->tokens_.fetch_add(1, std::memory_order_relaxed);
  operation.phase_.store(next, std::memory_order_release);
  if (callback) {
    callbacks_.fetch_add(1, std::memory_order_relaxed);
    callback.function(callback.argument);
  } else if (line != nullptr) {
    fd_signals_.fetch_add(1, std::memory_order_relaxed);
    line->fd_.Signal();
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
  const auto entry = operation.context_->GetWaitFd(this);
  if (!entry || entry->data != operation.line_) return;
  WaitLine& line = *operation.line_;
  line.fd_.Drain();
  // Drained first, counted second: a token added in between has its signal still to come, or has
  // the fd made readable here. A signal that comes late costs one resume too many, never one too
  // few.
  const uint32_t before = line.tokens_.fetch_sub(tokens_taken, std::memory_order_acq_rel);
  if (before > tokens_taken) line.fd_.Signal();
}

void Notifier::TellSelf(OperationState& operation) {
  if (operation.line_ != nullptr) operation.line_->fd_.Signal();
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
