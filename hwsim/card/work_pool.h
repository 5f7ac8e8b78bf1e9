// WorkPool: the card's execution threads. The service thread gives them the work of requests and
// takes back what is done.
//
// Threads: Start, TakeDone and busy from the service thread. Work runs under no lock.
// Ownership: the card owns the requests. Work that has not begun when the pool ends is not done.
// Limits: the pool has no bound of its own; it holds at most the requests in flight.
#ifndef GHOSTCARD_HWSIM_CARD_WORK_POOL_H_
#define GHOSTCARD_HWSIM_CARD_WORK_POOL_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "hwsim/base/mutex.h"
#include "hwsim/operations/request.h"

namespace hwsim::card {

class WorkPool {
 public:
  struct Work {
    operations::Request* request = nullptr;
    uint32_t queue_pair = 0;
    bool ok = false;  // the work succeeded
  };

  // The pool's threads call `wake` after each piece of work.
  WorkPool(uint32_t threads, std::function<void()> wake);
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  // Gives the request's work to the pool.
  void Start(operations::Request& request, uint32_t queue_pair);
  // Replaces `done` by the work that ended since the last call. Costs a load and a branch when
  // there is none.
  void TakeDone(std::vector<Work>& done);
  // Threads with work: at most as many as there are pieces of work not taken back.
  size_t busy() const { return std::min(pending_, threads_.size()); }

 private:
  void Run();

  const std::function<void()> wake_;
  size_t pending_ = 0;  // started and not taken back; the service thread's

  Mutex todo_mutex_;
  std::condition_variable_any todo_cv_;
  std::deque<Work> todo_ GHOSTCARD_GUARDED_BY(todo_mutex_);
  bool stopping_ GHOSTCARD_GUARDED_BY(todo_mutex_) = false;

  // Relaxed: a hint whether to take the lock, and the lock hands the work over. The wake-up that
  // follows each store makes the service thread look again.
  std::atomic<bool> any_done_{false};
  Mutex done_mutex_;
  std::vector<Work> done_ GHOSTCARD_GUARDED_BY(done_mutex_);

  std::vector<std::thread> threads_;  // last: they use the members above
};

}  // namespace hwsim::card

#endif  // GHOSTCARD_HWSIM_CARD_WORK_POOL_H_
