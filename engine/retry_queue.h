// RetryQueue: operations that found their queue pair full, first come, first served.
//
// When slots come free, the ones at the head are granted a slot each and told. A granted
// slot is kept: later comers do not overtake, they queue up behind. A grant whose context is
// closed before it is claimed goes to the next in line.
//
// Threads: every method from any thread. Ownership: it holds operations whose owners wait;
// an owner leaves with Remove before it ends.
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

  // Puts it at the tail, or at the head when the slot it was granted turned out not to be there,
  // and moves it to kQueued. It may have been granted a slot, and told, when this returns: its
  // owner pauses all the same.
  void Add(OperationState& operation, bool at_head);

  // Takes it out wherever it is, and passes on the slot it may have been granted.
  void Remove(OperationState& operation);

  // To be called when slots have come free. A read-modify-write while nobody waits: either
  // it sees who came before it, or who comes after it sees the slot.
  void Grant() {
    if (crowded_.fetch_add(0, std::memory_order_acq_rel) != 0) GrantSlots();
  }

  uint32_t waiting() const;

 private:
  struct List {
    OperationState* head = nullptr;
    OperationState* tail = nullptr;
    uint32_t size = 0;
    void PushBack(OperationState& operation);
    void PushFront(OperationState& operation);
    void Unlink(OperationState& operation);
  };

  void GrantSlots() GHOSTCARD_EXCLUDES(mutex_);
  // The next to be told, moved to kTelling and to granted_; null: no slot, or nobody waits.
  OperationState* NextToTell() GHOSTCARD_REQUIRES(mutex_);
  // Takes it out of its list.
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
