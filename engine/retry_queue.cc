#include "engine/retry_queue.h"

#include <utility>

#include "hwsim/rare.h"

namespace engine {

using hwsim::MutexLock;
using hwsim::SubmitStatus;

void RetryQueue::List::Insert(OperationState& operation, OperationState* next) {
  operation.next_ = next;
  operation.previous_ = next != nullptr ? next->previous_ : tail;
  (operation.previous_ != nullptr ? operation.previous_->next_ : head) = &operation;
  (next != nullptr ? next->previous_ : tail) = &operation;
  ++size;
  if (operation.synchronous_) ++synchronous;
}

void RetryQueue::List::Unlink(OperationState& operation) {
  (operation.previous_ != nullptr ? operation.previous_->next_ : head) = operation.next_;
  (operation.next_ != nullptr ? operation.next_->previous_ : tail) = operation.previous_;
  operation.next_ = operation.previous_ = nullptr;
  --size;
  if (operation.synchronous_) --synchronous;
}

void RetryQueue::Link(List& list, OperationState& operation, bool at_head) {
  operation.place_ = &list == &waiting_ ? Place::kWaiting : Place::kGranted;
  OperationState* next = nullptr;
  if (at_head || operation.synchronous_) {
    next = list.head;
    // Behind the synchronous ones, unless it is a synchronous one that goes back to the head.
    while (next != nullptr && next->synchronous_ && !(at_head && operation.synchronous_)) {
      next = next->next_;
    }
  }
  list.Insert(operation, next);
}

void RetryQueue::Unlink(OperationState& operation) {
  if (operation.place_ == Place::kNowhere) return;
  (operation.place_ == Place::kWaiting ? waiting_ : granted_).Unlink(operation);
  operation.place_ = Place::kNowhere;
}

void RetryQueue::UpdateCrowded() {
  crowded_.exchange(waiting_.size + granted_.size, std::memory_order_acq_rel);
}

SubmitStatus RetryQueue::Submit(OperationState& operation) {
  bool granted = operation.phase_.load(std::memory_order_acquire) == Phase::kGranted;
  if (granted || crowded_.load(std::memory_order_acquire) != 0) {
    const MutexLock lock(mutex_);
    granted = granted && operation.place_ == Place::kGranted;  // not passed on meanwhile
    const bool may_go = granted || NewcomerMayGo(operation.synchronous_);
    UpdateCrowded();
    if (!may_go) {
      GHOSTCARD_RARE("a newcomer had to queue up");
      operation.phase_.store(Phase::kRetry, std::memory_order_relaxed);
      return SubmitStatus::kAgain;
    }
  }
  // From here on the completion may come at any moment, on another thread.
  operation.phase_.store(Phase::kRunning, std::memory_order_release);
  const SubmitStatus status = queue_pair_.Submit(operation);
  if (status != SubmitStatus::kOk) {
    operation.phase_.store(Phase::kRetry, std::memory_order_relaxed);
  }
  if (granted && status == SubmitStatus::kAgain) GHOSTCARD_RARE("a granted slot was not there");
  // The grant is given back only now: while it stood, nobody could take the slot.
  if (granted) Remove(operation);
  return status;
}

bool RetryQueue::Add(OperationState& operation, bool at_head) {
  // Not under the lock: the last reference runs cleanups.
  operation.queued_context_ =
      waitctx::WaitContextRef::Retain(operation.synchronous_ ? nullptr : operation.context_);
  const MutexLock lock(mutex_);
  // seq_cst with stop_: either we see that it is to stop, or Stop sees that we wait.
  operation.phase_.store(Phase::kQueued, std::memory_order_seq_cst);
  Link(waiting_, operation, at_head);
  UpdateCrowded();
  // A slot may have come free before anyone could see that somebody waits. Not for one that was
  // just refused a slot that was free: it would come round again and again.
  Phase phase = Phase::kQueued;
  const bool granted =
      !at_head && FirstCanHaveSlot() && waiting_.head == &operation &&
      operation.phase_.compare_exchange_strong(phase, Phase::kGranted, std::memory_order_acq_rel);
  if (granted) {
    Unlink(operation);
    Link(granted_, operation, false);
  }
  UpdateCrowded();
  return granted;
}

void RetryQueue::Remove(OperationState& operation) {
  const MutexLock lock(mutex_);
  Unlink(operation);
  UpdateCrowded();
}

bool RetryQueue::NeedsGrant() {
  if (crowded_.load(std::memory_order_acquire) == 0) return false;
  const MutexLock lock(mutex_);
  const bool needed = FirstCanHaveSlot();
  UpdateCrowded();
  return needed;
}

void RetryQueue::GrantSlots() {
  for (;;) {
    OperationState* next = nullptr;
    {
      const MutexLock lock(mutex_);
      while (next == nullptr && FirstCanHaveSlot()) {
        OperationState& first = *waiting_.head;
        Unlink(first);
        Phase phase = Phase::kQueued;
        // Otherwise it was given up, and its owner is told that.
        if (!first.phase_.compare_exchange_strong(phase, Phase::kTelling,
                                                  std::memory_order_acq_rel)) {
          GHOSTCARD_RARE("stopped before it was granted a slot");
          continue;
        }
        Link(granted_, first, false);
        next = &first;
      }
      UpdateCrowded();
    }
    if (next == nullptr) return;
    notifier_.Tell(*next, Phase::kGranted);
  }
}

bool RetryQueue::IsGone(const OperationState& operation) {
  return operation.queued_context_ && operation.queued_context_->closed();
}

bool RetryQueue::SlotIsFree(bool synchronous) {
  // None while the card is down; all for everybody when it is lost, so that they come and hear it.
  using Admission = hwsim::QueuePair::Admission;
  const Admission admission = queue_pair_.admission();
  if (admission != Admission::kOpen) {
    GHOSTCARD_RARE("waited for space on a card that is down");
    return admission == Admission::kClosedForGood;
  }
  const auto is_free = [&] {
    const uint32_t kept = synchronous ? granted_.synchronous : granted_.size;
    return queue_pair_.in_flight() + kept < queue_pair_.depth();
  };
  if (is_free()) return true;
  // A grant to somebody who is gone would keep its slot for good.
  for (OperationState* next = granted_.head; next != nullptr;) {
    OperationState& granted = *std::exchange(next, next->next_);
    if (!IsGone(granted)) continue;
    GHOSTCARD_RARE("a grant to a closed context was taken back");
    Unlink(granted);
  }
  return is_free();
}

bool RetryQueue::FirstCanHaveSlot() {
  while (waiting_.head != nullptr && IsGone(*waiting_.head)) {
    OperationState& gone = *waiting_.head;
    Unlink(gone);
    GHOSTCARD_RARE("a closed context left the line");
    // Nobody to tell. If its owner is ever resumed, it tries anew.
    Phase phase = Phase::kQueued;
    gone.phase_.compare_exchange_strong(phase, Phase::kRetry, std::memory_order_acq_rel);
  }
  return waiting_.head != nullptr && SlotIsFree(waiting_.head->synchronous_);
}

bool RetryQueue::NewcomerMayGo(bool synchronous) {
  FirstCanHaveSlot();  // those who are gone keep nobody waiting
  const uint32_t before = synchronous ? waiting_.synchronous : waiting_.size;
  return before == 0 && SlotIsFree(synchronous);
}

}  // namespace engine
