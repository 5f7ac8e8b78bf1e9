// WorkPool: the card's execution threads. They run the work of requests; the card's
// service thread gives it to them and takes back what is done.
//
// Threads: Start, TakeDone and busy from the service thread. Work runs under no lock.
// Ownership: requests are the card's; work not begun when the pool ends is not done.
// Limits: as many requests as are in flight, so no bound of its own.
#ifndef GHOSTCARD_HWSIM_WORK_POOL_H_
#define GHOSTCARD_HWSIM_WORK_POOL_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "hwsim/mutex.h"
#include "hwsim/request.h"

namespace hwsim {

class WorkPool {
 public:
  struct Work {
    Request* request = nullptr;
    uint32_t queue_pair = 0;
    bool ok = false;  // what the work answered
  };

  // `wake` is called from the pool's threads when something is done.
  WorkPool(uint32_t threads, std::function<void()> wake);
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  void Start(Request& request, uint32_t queue_pair);
  // Replaces `done` by what was done since. A load and a branch when nothing was.
  void TakeDone(std::vector<Work>& done);
  // Threads that have work to do, as the service thread knows it.
  size_t busy() const { return std::min(pending_, threads_.size()); }

 private:
  void Run();

  const std::function<void()> wake_;
  size_t pending_ = 0;  // started and not taken back; the service thread's

  Mutex todo_mutex_;
  std::condition_variable_any todo_cv_;
  std::deque<Work> todo_ GHOSTCARD_GUARDED_BY(todo_mutex_);
  bool stopping_ GHOSTCARD_GUARDED_BY(todo_mutex_) = false;

  // Relaxed: a hint whether to take the lock, which is what hands over; the wake-up
  // that follows it makes the service thread look again.
  std::atomic<bool> any_done_{false};
  Mutex done_mutex_;
  std::vector<Work> done_ GHOSTCARD_GUARDED_BY(done_mutex_);

  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_WORK_POOL_H_
