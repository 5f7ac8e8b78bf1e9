// ProgressWatch: notices that a load makes no progress, because the card may never answer.
//
// Threads: a thread of its own, which calls on_stall; Note from one other thread.
// Time: std::chrono::steady_clock.
#ifndef GHOSTCARD_TOOLS_LOAD_PROGRESS_WATCH_H_
#define GHOSTCARD_TOOLS_LOAD_PROGRESS_WATCH_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "hwsim/base/clock.h"

namespace tools::load {

class ProgressWatch {
 public:
  struct Options {
    hwsim::Duration interval;  // between two looks at the progress
    hwsim::Duration patience;  // without progress for this long, the load has stalled
    // Called at each look while the load is stalled.
    std::function<void()> on_stall;
  };

  // Starts the thread.
  explicit ProgressWatch(Options options);
  // Ends the thread at once, without waiting for the next look. on_stall is not called any more.
  ~ProgressWatch();
  ProgressWatch(const ProgressWatch&) = delete;
  ProgressWatch& operator=(const ProgressWatch&) = delete;

  // Sets the number of finished requests. A number that changes is progress.
  void Note(uint64_t finished) { finished_.store(finished, std::memory_order_relaxed); }

 private:
  void Run();

  const Options options_;
  std::atomic<uint64_t> finished_{0};  // relaxed: nothing else depends on it
  std::mutex mutex_;
  std::condition_variable end_;
  bool ended_ = false;  // guarded by mutex_
  std::thread thread_;  // last: it uses all others
};

}  // namespace tools::load

#endif  // GHOSTCARD_TOOLS_LOAD_PROGRESS_WATCH_H_
