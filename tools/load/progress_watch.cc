#include "tools/load/progress_watch.h"

#include <utility>

namespace tools::load {

ProgressWatch::ProgressWatch(Options options)
    : options_(std::move(options)), thread_([this] { Run(); }) {}

ProgressWatch::~ProgressWatch() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  end_.notify_one();
  thread_.join();
}

void ProgressWatch::Run() {
  std::unique_lock lock(mutex_);
  hwsim::Duration idle{0};
  for (uint64_t seen = 0; !end_.wait_for(lock, options_.interval, [this] { return ended_; });) {
    const uint64_t finished = finished_.load(std::memory_order_relaxed);
    idle = finished == seen ? idle + options_.interval : hwsim::Duration{0};
    seen = finished;
    if (idle < options_.patience) continue;
    lock.unlock();
    options_.on_stall();
    lock.lock();
  }
}

}  // namespace tools::load
