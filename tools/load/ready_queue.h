// ReadyQueue: a ready list whose consumer sleeps until there is an item.
//
// Threads: Push from any thread, everything else from one thread: the consumer's.
// Ownership and limits: as ReadyList.
#ifndef GHOSTCARD_TOOLS_LOAD_READY_QUEUE_H_
#define GHOSTCARD_TOOLS_LOAD_READY_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "tools/load/ready_list.h"

namespace tools::load {

template <typename Item>
class ReadyQueue {
 public:
  // As ReadyList::Push, and wakes the consumer if it sleeps.
  void Push(Item& item) {
    if (list_.Push(item)) Notify();
  }

  // As ReadyList::TakeAll.
  template <typename Handle>
  size_t TakeAll(Handle handle) {
    return list_.TakeAll(handle);
  }

  // Returns when there is an item; at once if there is one already.
  //
  // Not std::atomic::wait, which yields before it sleeps: where threads outnumber processors, a
  // thread that yields runs a whole time slice too late.
  void SleepUntilReady() {
    // The mutex is held from the announcement to the wait, so Notify comes before both or after.
    std::unique_lock lock(mutex_);
    // Announced again after each wake-up. A thread that pushed before an earlier sleep may be late
    // and end the present announcement: it wakes the consumer, and there is no item.
    while (list_.AnnounceSleep()) woken_.wait(lock);
  }

 protected:
  // What such a late thread does.
  void WakeWithoutAnItem() {
    if (list_.ClaimWakeUp()) Notify();
  }

 private:
  void Notify() {
    { const std::lock_guard lock(mutex_); }
    woken_.notify_one();
  }

  ReadyList<Item> list_;
  std::mutex mutex_;  // protects no data
  std::condition_variable woken_;
};

}  // namespace tools::load

#endif  // GHOSTCARD_TOOLS_LOAD_READY_QUEUE_H_
