// InlineService: the completion service without a thread. The application's calls of Poll() handle
// completions and run OnTime.
//
// Threads: any. If several threads call Poll() at once, one of them runs OnTime.
#ifndef GHOSTCARD_HWSIM_COMPLETION_INLINE_SERVICE_H_
#define GHOSTCARD_HWSIM_COMPLETION_INLINE_SERVICE_H_

#include <atomic>
#include <cstddef>
#include <optional>

#include "hwsim/completion/service_base.h"

namespace hwsim::completion {

class InlineService final : public ServiceBase {
 public:
  using ServiceBase::ServiceBase;

  size_t Poll(size_t quota) override {
    const size_t handled = ServiceBase::Poll(quota);
    if (options_.on_time) RunOnTime();
    return handled;
  }
  void NoteSubmitted() override {}
  // Release, with the exchange in RunOnTime: OnTime sees what the waker wrote before.
  void Wake() override { wake_.store(true, std::memory_order_release); }
  Stats stats() const override { return {}; }

 private:
  void RunOnTime() {
    // A lock that no thread waits for. The thread that sets `busy_` runs OnTime. A Poll on another
    // thread, or from inside OnTime, returns without it.
    if (busy_.exchange(true, std::memory_order_acquire)) return;
    const TimePoint now = card_.clock().Now();
    const bool due = next_ && *next_ <= now;
    if (wake_.exchange(false, std::memory_order_acquire) || due) next_ = options_.on_time(now);
    busy_.store(false, std::memory_order_release);
  }

  std::atomic<bool> wake_{true};  // true at first: OnTime has yet to say when it is due
  std::atomic<bool> busy_{false};
  std::optional<TimePoint> next_;  // guarded by busy_
};

}  // namespace hwsim::completion

#endif  // GHOSTCARD_HWSIM_COMPLETION_INLINE_SERVICE_H_
