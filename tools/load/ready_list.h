// ReadyList: a lock-free list of the jobs or connections that are ready to continue. Callbacks add
// items from any thread, an event loop takes all of them at once.
//
// Threads: Push from any thread, everything else from one thread: the consumer's.
// Ownership: items belong to the caller. An item must outlive each list that contains it.
// Limits: an item is in at most one list, and at most once.
#ifndef GHOSTCARD_TOOLS_LOAD_READY_LIST_H_
#define GHOSTCARD_TOOLS_LOAD_READY_LIST_H_

#include <atomic>
#include <cstddef>
#include <type_traits>

namespace tools::load {

// The base class of every item.
class ReadyItem {
 private:
  template <typename Item>
  friend class ReadyList;

  std::atomic<bool> queued_{false};
  ReadyItem* next_ = nullptr;  // written by the thread that queued the item, then by the consumer
};

template <typename Item>
class ReadyList {
 public:
  // Adds `item`; does nothing if the list already contains it. After a Push, the consumer handles
  // the item at least once, and sees everything that the caller wrote before.
  // True: the consumer sleeps or is about to, and the caller wakes it. Only one caller gets true
  // for each sleep.
  [[nodiscard]] bool Push(Item& item) {
    static_assert(std::is_base_of_v<ReadyItem, Item>);
    ReadyItem& link = item;
    // acq_rel: pairs with the exchange in TakeAll, whichever of the two comes first.
    if (link.queued_.exchange(true, std::memory_order_acq_rel)) return false;
    ReadyItem* head = head_.load(std::memory_order_relaxed);
    do {
      link.next_ = head;
      // seq_cst, with sleeping_: either the consumer sees the item before it sleeps, or this thread
      // sees that the consumer sleeps.
    } while (!head_.compare_exchange_weak(head, &link, std::memory_order_seq_cst));
    return ClaimWakeUp();
  }

  // Ends the consumer's announcement. True: there was one, and the caller wakes the consumer. The
  // announcement may be a later one than the caller saw when it pushed.
  [[nodiscard]] bool ClaimWakeUp() {
    return sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false);
  }

  bool empty() const { return head_.load(std::memory_order_seq_cst) == nullptr; }

  // Announces that the consumer is about to sleep. False: the list contains items, so the consumer
  // does not sleep. True: the next Push returns true. A consumer that is woken announces again
  // before it sleeps again, even if it finds no item. It calls EndSleep when it stays awake.
  [[nodiscard]] bool AnnounceSleep() {
    sleeping_.store(true, std::memory_order_seq_cst);
    if (empty()) return true;
    EndSleep();
    return false;
  }
  // Relaxed: a Push that still reads true causes one unneeded wake-up.
  void EndSleep() { sleeping_.store(false, std::memory_order_relaxed); }

  // Empties the list and calls handle(item) for each item, oldest first. Returns how many there
  // were. An item that is pushed during the call is in the list again afterwards.
  template <typename Handle>
  size_t TakeAll(Handle handle) {
    ReadyItem* newest = head_.exchange(nullptr, std::memory_order_acquire);
    ReadyItem* oldest = nullptr;
    while (newest != nullptr) {
      ReadyItem* const next = newest->next_;
      newest->next_ = oldest;
      oldest = newest;
      newest = next;
    }
    size_t count = 0;
    while (oldest != nullptr) {
      ReadyItem& link = *oldest;
      oldest = link.next_;  // before the exchange, after which another Push may overwrite it
      // acq_rel: what the callers of Push wrote is visible to handle(), also when the item was
      // already queued.
      link.queued_.exchange(false, std::memory_order_acq_rel);
      ++count;
      handle(static_cast<Item&>(link));
    }
    return count;
  }

 private:
  std::atomic<ReadyItem*> head_{nullptr};  // the newest item
  std::atomic<bool> sleeping_{false};
};

}  // namespace tools::load

#endif  // GHOSTCARD_TOOLS_LOAD_READY_LIST_H_
