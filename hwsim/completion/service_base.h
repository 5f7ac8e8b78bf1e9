// ServiceBase: what the completion services of all modes share: popping completed requests,
// running the handler, and the intervals.
//
// Threads: any; the derived service says which thread runs what.
#ifndef GHOSTCARD_HWSIM_COMPLETION_SERVICE_BASE_H_
#define GHOSTCARD_HWSIM_COMPLETION_SERVICE_BASE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <utility>

#include "hwsim/completion/completion_service.h"

namespace hwsim::completion {

class ServiceBase : public CompletionService {
 public:
  ServiceBase(card::Card& card, Options options)
      : card_(card),
        options_(std::move(options)),
        poll_interval_(options_.poll_interval),
        watchdog_interval_(options_.watchdog_interval) {}

  // Relaxed, like the loads: nothing else depends on the interval.
  void SetPollInterval(Duration interval) override {
    poll_interval_.store(interval, std::memory_order_relaxed);
  }
  void SetWatchdogInterval(Duration interval) override {
    watchdog_interval_.store(interval, std::memory_order_relaxed);
  }

  size_t Poll(size_t quota) override {
    size_t handled = 0;
    for (const auto& queue_pair : card_.queue_pairs()) handled += Drain(*queue_pair, quota);
    return handled;
  }

 protected:
  // Pops and handles up to `quota` requests; 0: until the queue pair is empty. Returns how many.
  // A burst that is not full emptied the queue pair, so there is no further pop after it.
  size_t Drain(rings::QueuePair& queue_pair, size_t quota) {
    std::array<operations::Request*, kBurst> burst;
    size_t handled = 0;
    while (quota == 0 || handled < quota) {
      const size_t wanted = quota == 0 ? kBurst : std::min(kBurst, quota - handled);
      const size_t count = queue_pair.PopCompleted(std::span(burst).first(wanted));
      if (count != 0) options_.handler(queue_pair, std::span(burst).first(count));
      handled += count;
      if (count < wanted) break;
    }
    return handled;
  }
  bool AnyInFlight() const {
    return std::ranges::any_of(card_.queue_pairs(),
                               [](const auto& queue_pair) { return queue_pair->in_flight() != 0; });
  }

  Duration poll_interval() const { return poll_interval_.load(std::memory_order_relaxed); }
  Duration watchdog_interval() const { return watchdog_interval_.load(std::memory_order_relaxed); }

  card::Card& card_;
  const Options options_;

 private:
  std::atomic<Duration> poll_interval_;
  std::atomic<Duration> watchdog_interval_;
};

}  // namespace hwsim::completion

#endif  // GHOSTCARD_HWSIM_COMPLETION_SERVICE_BASE_H_
