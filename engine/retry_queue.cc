#include "engine/retry_queue.h"

namespace engine {

using hwsim::MutexLock;
using hwsim::SubmitStatus;

void RetryQueue::List::PushBack(OperationState& operation) {
  operation.next_ = nullptr;
  operation.previous_ = tail;
  (tail != nullptr ? tail->next_ : head) = &operation;
  tail = &operation;
  ++size;
}

void RetryQueue::List::PushFront(OperationState& operation) {
  operation.previous_ = nullptr;
  operation.next_ = head;
  (head != nullptr ? head->previous_ : tail) = &operation;
  head = &operation;
  ++size;
}

void RetryQueue::List::Unlink(OperationState& operation) {
  (operation.previous_ != nullptr ? operation.previous_->next_ : head) = operation.next_;
  (operation.next_ != nullptr ? operation.next_->previous_ : tail) = operation.previous_;
  operation.next_ = operation.previous_ = nullptr;
  --size;
}

void RetryQueue::Unlink(OperationState& operation) {
  if (operation.place_ == OperationState::Place::kNowhere) return;
  (operation.place_ == OperationState::Place::kWaiting ? waiting_ : granted_).Unlink(operation);
  operation.place_ = OperationState::Place::kNowhere;
}

void RetryQueue::UpdateCrowded() {
  crowded_.exchange(waiting_.size + granted_.size, std::memory_order_acq_rel);
}

SubmitStatus RetryQueue::Submit(OperationState& operation) {
  bool granted = operation.phase_.load(std::memory_order_acquire) == Phase::kGranted;
  if (granted) {
    const MutexLock lock(mutex_);
    granted = operation.place_ == OperationState::Place::kGranted;  // not passed on meanwhile
  }
  if (!granted && crowded_.load(std::memory_order_acquire) != 0) {
    operation.phase_.store(Phase::kRetry, std::memory_order_relaxed);
    return SubmitStatus::kAgain;
  }
  // From here on the completion may come at any moment, on another thread.
  operation.phase_.store(Phase::kRunning, std::memory_order_release);
  const SubmitStatus status = queue_pair_.Submit(operation);
  if (status != SubmitStatus::kOk) {
    operation.phase_.store(Phase::kRetry, std::memory_order_relaxed);
  }
  // The grant is given back only now: while it stood, nobody could take the slot.
  if (granted) Remove(operation);
  return status;
}

void RetryQueue::Add(OperationState& operation, bool at_head) {
  {
    const MutexLock lock(mutex_);
    operation.queued_context_ = waitctx::WaitContextRef::Retain(operation.context_);
    operation.phase_.store(Phase::kQueued, std::memory_order_release);
    operation.place_ = OperationState::Place::kWaiting;
    if (at_head) {
      waiting_.PushFront(operation);
    } else {
      waiting_.PushBack(operation);
    }
    UpdateCrowded();
  }
  GrantSlots();  // a slot may have come free before anyone could see that somebody waits
}

void RetryQueue::Remove(OperationState& operation) {
  {
    const MutexLock lock(mutex_);
    Unlink(operation);
    operation.queued_context_ = {};
    UpdateCrowded();
  }
  Grant();
}

void RetryQueue::GrantSlots() {
  for (;;) {
    OperationState* next = nullptr;
    {
      const MutexLock lock(mutex_);
      next = NextToTell();
      UpdateCrowded();
    }
    if (next == nullptr) return;
    notifier_.Tell(*next, Phase::kGranted);
  }
}

OperationState* RetryQueue::NextToTell() {
  const auto gone = [](const OperationState& operation) {
    return operation.queued_context_ && operation.queued_context_->closed();
  };
  // A grant to somebody who is gone would keep its slot for good. The oldest is looked at: the
  // others follow once it is claimed or passed on.
  while (granted_.head != nullptr && gone(*granted_.head)) Unlink(*granted_.head);
  while (waiting_.head != nullptr) {
    OperationState& first = *waiting_.head;
    const bool is_gone = gone(first);
    if (!is_gone && queue_pair_.in_flight() + granted_.size >= queue_pair_.depth()) return nullptr;
    Unlink(first);
    Phase phase = Phase::kQueued;
    if (is_gone) {
      // Nobody to tell. If its owner is ever resumed, it tries anew.
      first.phase_.compare_exchange_strong(phase, Phase::kRetry, std::memory_order_acq_rel);
      continue;
    }
    // Otherwise it was given up, and its owner has been told that.
    if (!first.phase_.compare_exchange_strong(phase, Phase::kTelling, std::memory_order_acq_rel)) {
      continue;
    }
    first.place_ = OperationState::Place::kGranted;
    granted_.PushBack(first);
    return &first;
  }
  return nullptr;
}

uint32_t RetryQueue::waiting() const {
  const MutexLock lock(mutex_);
  return waiting_.size;
}

}  // namespace engine
