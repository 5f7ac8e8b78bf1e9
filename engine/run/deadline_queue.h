// DeadlineQueue: operations with a time limit, earliest first.
//
// Threads: every method from any thread. Ownership: holds operations whose runs are under way; an
// owner leaves with Remove before its run ends.
#ifndef GHOSTCARD_ENGINE_RUN_DEADLINE_QUEUE_H_
#define GHOSTCARD_ENGINE_RUN_DEADLINE_QUEUE_H_

#include <atomic>
#include <map>
#include <optional>

#include "engine/operation_state.h"
#include "hwsim/base/mutex.h"

namespace engine::run {

class DeadlineQueue {
 public:
  // True: `operation` is now the earliest, and the caller wakes the thread that sleeps until the
  // next deadline. Requires: the operation has a deadline and is not in the queue.
  bool Add(OperationState& operation);
  // Takes the operation out. After this returns, no Expire looks at it.
  void Remove(OperationState& operation);

  // Takes out each operation whose time has come and calls stop(operation). `stop` runs under the
  // queue's lock, which keeps the operation alive: it is short and runs no user code. Where it
  // returns true, tell(operation) follows, without the lock.
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

  // The earliest time limit; none: the queue is empty.
  std::optional<hwsim::TimePoint> Next() const;

 private:
  mutable hwsim::Mutex mutex_;
  std::multimap<hwsim::TimePoint, OperationState*> queue_ GHOSTCARD_GUARDED_BY(mutex_);
};

}  // namespace engine::run

#endif  // GHOSTCARD_ENGINE_RUN_DEADLINE_QUEUE_H_
