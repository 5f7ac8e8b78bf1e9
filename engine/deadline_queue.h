// DeadlineQueue: operations with a time limit, earliest first.
//
// Threads: every method from any thread. Ownership: holds operations whose owners wait; an
// owner leaves with Remove before it ends.
#ifndef GHOSTCARD_ENGINE_DEADLINE_QUEUE_H_
#define GHOSTCARD_ENGINE_DEADLINE_QUEUE_H_

#include <atomic>
#include <map>
#include <optional>

#include "engine/operation.h"
#include "hwsim/mutex.h"

namespace engine {

class DeadlineQueue {
 public:
  // True when `operation` is now the earliest: whoever sleeps until the next deadline is to be
  // woken. Requires: it has a deadline and is not in the queue.
  bool Add(OperationState& operation);
  // Takes it out; when this returns, no Expire is looking at it.
  void Remove(OperationState& operation);

  // Calls stop(operation) for each whose time has come, and takes it out. `stop` runs under the
  // queue's lock, which is what keeps the operation alive: it must be short and call nobody else's
  // code; those it answers true for are told afterwards by the caller, through `tell`, without the
  // lock.
  template <typename Stop, typename Tell>
  void Expire(hwsim::TimePoint now, Stop stop, Tell tell) {
    for (;;) {
      OperationState* expired = nullptr;
      {
        const hwsim::MutexLock lock(mutex_);
        if (queue_.empty() || queue_.begin()->first > now) return;
        OperationState* const first = queue_.begin()->second;
        queue_.erase(queue_.begin());
        if (stop(*first)) expired = first;
      }
      if (expired != nullptr) tell(*expired);
    }
  }

  std::optional<hwsim::TimePoint> Next() const;

 private:
  mutable hwsim::Mutex mutex_;
  std::multimap<hwsim::TimePoint, OperationState*> queue_ GHOSTCARD_GUARDED_BY(mutex_);
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_DEADLINE_QUEUE_H_
