// RetryQueue: operations that found their queue pair full, first come, first served.
//
// When slots come free, the ones at the head are granted a slot each and told. A granted
// slot is kept: later comers do not overtake, they queue up behind. Synchronous callers go first,
// and past grants that are not claimed yet: they hold up the very thread that might claim them. A
// grant whose context is closed before it is claimed goes to the next in line.
//
// Threads: every method from any thread; Submit, Add and Remove on the owner's, where they tell
// nobody: user code does not run inside a submit. Grant tells. Ownership: it holds operations whose
// owners wait; an owner leaves with Remove before it ends.
#ifndef GHOSTCARD_ENGINE_RETRY_QUEUE_H_
#define GHOSTCARD_ENGINE_RETRY_QUEUE_H_

#include <atomic>
#include <cstdint>

#include "engine/notifier.h"
#include "engine/operation.h"
#include "hwsim/mutex.h"
#include "hwsim/queue_pair.h"

namespace engine {

class RetryQueue {
 public:
  RetryQueue(hwsim::QueuePair& queue_pair, Notifier& notifier)
      : queue_pair_(queue_pair), notifier_(notifier) {}
  RetryQueue(const RetryQueue&) = delete;
  RetryQueue& operator=(const RetryQueue&) = delete;

  // Submits if no one is before `operation`: it holds a grant, or nobody waits. Its phase is
  // kRunning or later after kOk, else kRetry. A grant is spent, whatever the answer.
  hwsim::SubmitStatus Submit(OperationState& operation);

  // Puts it at the tail, or at the head when the slot it was granted turned out not to be there.
  // True: there is a slot for it already, its phase is kGranted. False: its phase is kQueued, and
  // it may have been granted a slot, and told, by the time this returns.
  bool Add(OperationState& operation, bool at_head);

  // Takes it out wherever it is. The slot it may have been granted is free for the next.
  void Remove(OperationState& operation);

  // Whether somebody could be granted a slot, whom Submit, Add or Remove did not tell: the caller
  // sees to it that Grant is called soon, elsewhere.
  bool NeedsGrant();

  // Grants what slots there are, and tells. To be called when slots have come free: a
  // read-modify-write while nobody waits; either it sees who came before it, or who comes after it
  // sees the slot.
  void Grant() {
    if (crowded_.fetch_add(0, std::memory_order_acq_rel) != 0) GrantSlots();
  }

  // Somebody waits, or holds a grant. A hint.
  bool crowded() const { return crowded_.load(std::memory_order_relaxed) != 0; }

 private:
  using Place = OperationState::Place;
  struct List {
    OperationState* head = nullptr;
    OperationState* tail = nullptr;
    uint32_t size = 0;
    uint32_t synchronous = 0;  // of them, owners that wait in place
    // Before `next`; null: at the tail.
    void Insert(OperationState& operation, OperationState* next);
    void Unlink(OperationState& operation);
  };

  void GrantSlots() GHOSTCARD_EXCLUDES(mutex_);
  // These take out those who are gone as they meet them.
  bool FirstCanHaveSlot() GHOSTCARD_REQUIRES(mutex_);
  bool SlotIsFree(bool synchronous) GHOSTCARD_REQUIRES(mutex_);
  bool NewcomerMayGo(bool synchronous) GHOSTCARD_REQUIRES(mutex_);
  // Its context is closed: whoever might claim a slot for it need not come.
  static bool IsGone(const OperationState& operation);
  void Link(List& list, OperationState& operation, bool at_head) GHOSTCARD_REQUIRES(mutex_);
  void Unlink(OperationState& operation) GHOSTCARD_REQUIRES(mutex_);
  void UpdateCrowded() GHOSTCARD_REQUIRES(mutex_);

  hwsim::QueuePair& queue_pair_;
  Notifier& notifier_;

  // Waiters and unclaimed grants. Only read-modify-writes, acq_rel: who adds itself changes it and
  // then looks for a free slot; who frees a slot then changes it too (by nothing). The later of the
  // two sees what the earlier did before.
  std::atomic<uint32_t> crowded_{0};

  mutable hwsim::Mutex mutex_;
  List waiting_ GHOSTCARD_GUARDED_BY(mutex_);
  List granted_ GHOSTCARD_GUARDED_BY(mutex_);
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_RETRY_QUEUE_H_
