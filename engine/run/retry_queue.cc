#include "engine/run/retry_queue.h"

#include <utility>

#include "hwsim/base/coverage_mark.h"

namespace engine::run {

using hwsim::MutexLock;
using hwsim::operations::SubmitStatus;

void RetryQueue::List::Insert(OperationState& operation, OperationState* next) {
  QueueLinks& links = operation.queue;
  links.next = next;
  links.previous = next != nullptr ? next->queue.previous : tail;
  (links.previous != nullptr ? links.previous->queue.next : head) = &operation;
  (next != nullptr ? next->queue.previous : tail) = &operation;
  ++size;
  if (operation.run.synchronous) ++synchronous;
}

void RetryQueue::List::Unlink(OperationState& operation) {
  QueueLinks& links = operation.queue;
  (links.previous != nullptr ? links.previous->queue.next : head) = links.next;
  (links.next != nullptr ? links.next->queue.previous : tail) = links.previous;
  links.next = links.previous = nullptr;
  --size;
  if (operation.run.synchronous) --synchronous;
}

void RetryQueue::Link(List& list, OperationState& operation, bool at_head) {
  const bool synchronous = operation.run.synchronous;
  operation.queue.membership = &list == &waiting_ ? Membership::kWaiting : Membership::kGranted;
  OperationState* next = nullptr;
  if (at_head || synchronous) {
    next = list.head;
    // Behind the synchronous callers, unless a synchronous caller goes back to the head.
    while (next != nullptr && next->run.synchronous && !(at_head && synchronous)) {
      next = next->queue.next;
    }
  }
  list.Insert(operation, next);
}

void RetryQueue::Unlink(OperationState& operation) {
  Membership& membership = operation.queue.membership;
  if (membership == Membership::kNone) return;
  (membership == Membership::kWaiting ? waiting_ : granted_).Unlink(operation);
  membership = Membership::kNone;
}

void RetryQueue::UpdateCrowded() {
  crowded_.exchange(waiting_.size + granted_.size, std::memory_order_acq_rel);
}

SubmitStatus RetryQueue::Submit(OperationState& operation, bool granted) {
  if (granted || crowded_.load(std::memory_order_acquire) != 0) {
    const MutexLock lock(mutex_);
    // A grant may have been passed on meanwhile.
    granted = granted && operation.queue.membership == Membership::kGranted;
    const bool may_go = granted || NewcomerMayGo(operation.run.synchronous);
    UpdateCrowded();
    if (!may_go) {
      GHOSTCARD_COVERAGE_MARK("a newcomer had to queue up");
      return SubmitStatus::kAgain;
    }
  }
  const SubmitStatus status = queue_pair_.Submit(operation);
  if (granted && status == SubmitStatus::kAgain)
    GHOSTCARD_COVERAGE_MARK("a granted slot was not there");
  // The grant is given back only now: while it stood, no other submit could take the slot.
  if (granted) Remove(operation);
  return status;
}

bool RetryQueue::Add(OperationState& operation, bool at_head) {
  // Not under the lock: when the last reference goes, cleanups run.
  operation.queue.context =
      waitctx::WaitContextRef::Retain(operation.run.synchronous ? nullptr : operation.run.context);
  const MutexLock lock(mutex_);
  operation.phase.Enqueue();
  Link(waiting_, operation, at_head);
  UpdateCrowded();
  // A slot may have come free before any thread could see that an operation waits. Not at the head:
  // an operation there was just refused a slot that was free, and would try it again and again.
  const bool granted = !at_head && FirstCanHaveSlot() && waiting_.head == &operation &&
                       operation.phase.GrantAtOnce();
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
        // False: it was given up, and another thread tells its owner.
        if (!first.phase.BeginGrant()) {
          GHOSTCARD_COVERAGE_MARK("stopped before it was granted a slot");
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
  return operation.queue.context && operation.queue.context->closed();
}

bool RetryQueue::SlotIsFree(bool synchronous) {
  // While the card is down, no slot is free. When it is lost, every slot is: each operation submits
  // and is refused.
  using Admission = hwsim::rings::QueuePair::Admission;
  const Admission admission = queue_pair_.admission();
  if (admission != Admission::kOpen) {
    GHOSTCARD_COVERAGE_MARK("waited for space on a card that is down");
    return admission == Admission::kClosedForGood;
  }
  const auto is_free = [&] {
    const uint32_t kept = synchronous ? granted_.synchronous : granted_.size;
    return queue_pair_.in_flight() + kept < queue_pair_.depth();
  };
  if (is_free()) return true;
  // A grant to an operation whose context is closed would keep its slot for good.
  for (OperationState* next = granted_.head; next != nullptr;) {
    OperationState& granted = *std::exchange(next, next->queue.next);
    if (!IsGone(granted)) continue;
    GHOSTCARD_COVERAGE_MARK("a grant to a closed context was taken back");
    Unlink(granted);
  }
  return is_free();
}

bool RetryQueue::FirstCanHaveSlot() {
  while (waiting_.head != nullptr && IsGone(*waiting_.head)) {
    OperationState& gone = *waiting_.head;
    Unlink(gone);
    GHOSTCARD_COVERAGE_MARK("a closed context left the line");
    gone.phase.LeaveQueue();
  }
  return waiting_.head != nullptr && SlotIsFree(waiting_.head->run.synchronous);
}

bool RetryQueue::NewcomerMayGo(bool synchronous) {
  FirstCanHaveSlot();  // takes out operations whose context is closed
  const uint32_t before = synchronous ? waiting_.synchronous : waiting_.size;
  return before == 0 && SlotIsFree(synchronous);
}

}  // namespace engine::run
