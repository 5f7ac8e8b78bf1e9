// RetryQueue: operations that found their queue pair full, first come, first served.
//
// When slots come free, the operations at the head are granted a slot each and told. A granted slot
// is kept: an operation that comes later queues up behind. Synchronous callers go first, and past
// grants that are not claimed yet, because they block the thread that might claim those grants. A
// grant whose context is closed before it is claimed goes to the next operation.
//
// Threads: every method from any thread, except Submit, Add and Remove: on the owner's. These three
// tell no owner, so user code does not run inside a submit; Grant tells. Ownership: the queue holds
// operations whose owners wait; an owner leaves with Remove before its run ends.
#ifndef GHOSTCARD_ENGINE_RUN_RETRY_QUEUE_H_
#define GHOSTCARD_ENGINE_RUN_RETRY_QUEUE_H_

#include <atomic>
#include <cstdint>

#include "engine/notify/notifier.h"
#include "engine/operation_state.h"
#include "hwsim/base/mutex.h"
#include "hwsim/rings/queue_pair.h"

namespace engine::run {

class RetryQueue {
 public:
  RetryQueue(hwsim::rings::QueuePair& queue_pair, notify::Notifier& notifier)
      : queue_pair_(queue_pair), notifier_(notifier) {}
  RetryQueue(const RetryQueue&) = delete;
  RetryQueue& operator=(const RetryQueue&) = delete;

  // Submits unless other operations come first. `granted`: the operation was granted a slot; the
  // grant is spent, whatever the answer. kAgain: the queue pair is full, or the operation has to
  // queue up behind others. Requires: the phase is kRunning; after another answer than kOk, the
  // caller moves it on.
  hwsim::operations::SubmitStatus Submit(OperationState& operation, bool granted);

  // Puts the operation at the tail; at the head when the slot that it was granted was not there.
  // True: a slot is free for it, and its phase is kGranted. False: its phase was kQueued; another
  // thread may have granted it a slot, and told its owner, by the time this returns.
  bool Add(OperationState& operation, bool at_head);

  // Takes the operation out wherever it is. A slot that it was granted is free for the next.
  void Remove(OperationState& operation);

  // Whether a waiting operation could be granted a slot that Submit, Add or Remove left. True: the
  // caller sees to it that Grant is called soon, outside of this run.
  bool NeedsGrant();

  // Grants the free slots, and tells the owners. Call it when slots have come free. It costs one
  // read-modify-write while no operation waits. Either this call sees an operation that was added
  // before, or the operation that is added later sees the free slot.
  void Grant() {
    if (crowded_.fetch_add(0, std::memory_order_acq_rel) != 0) GrantSlots();
  }

  // An operation waits, or holds a grant. A hint.
  bool crowded() const { return crowded_.load(std::memory_order_relaxed) != 0; }

 private:
  using Membership = QueueLinks::Membership;
  struct List {
    OperationState* head = nullptr;
    OperationState* tail = nullptr;
    uint32_t size = 0;
    uint32_t synchronous = 0;  // how many of them wait in place
    // Before `next`; null: at the tail.
    void Insert(OperationState& operation, OperationState* next);
    void Unlink(OperationState& operation);
  };

  void GrantSlots() GHOSTCARD_EXCLUDES(mutex_);
  // These three take out operations whose context is closed, as they meet them.
  bool FirstCanHaveSlot() GHOSTCARD_REQUIRES(mutex_);
  bool SlotIsFree(bool synchronous) GHOSTCARD_REQUIRES(mutex_);
  bool NewcomerMayGo(bool synchronous) GHOSTCARD_REQUIRES(mutex_);
  // Its context is closed: perhaps no job will ever claim a slot for it.
  static bool IsGone(const OperationState& operation);
  void Link(List& list, OperationState& operation, bool at_head) GHOSTCARD_REQUIRES(mutex_);
  void Unlink(OperationState& operation) GHOSTCARD_REQUIRES(mutex_);
  void UpdateCrowded() GHOSTCARD_REQUIRES(mutex_);

  hwsim::rings::QueuePair& queue_pair_;
  notify::Notifier& notifier_;

  // Waiting operations and unclaimed grants. Changed by read-modify-writes only, acq_rel: a thread
  // that adds an operation changes it, then looks for a free slot. A thread that frees a slot does
  // so first, then changes it (by 0). The later of the two sees what the earlier wrote before.
  std::atomic<uint32_t> crowded_{0};

  mutable hwsim::Mutex mutex_;
  List waiting_ GHOSTCARD_GUARDED_BY(mutex_);
  List granted_ GHOSTCARD_GUARDED_BY(mutex_);
};

}  // namespace engine::run

#endif  // GHOSTCARD_ENGINE_RUN_RETRY_QUEUE_H_
