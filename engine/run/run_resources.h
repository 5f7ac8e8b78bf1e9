// RunResources: what the runs of one engine share. The engine owns it and everything that it refers
// to, and makes one for each card.
//
// Threads: every method from any. Each member says who may change it.
#ifndef GHOSTCARD_ENGINE_RUN_RUN_RESOURCES_H_
#define GHOSTCARD_ENGINE_RUN_RUN_RESOURCES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "engine/notify/notifier.h"
#include "engine/run/deadline_queue.h"
#include "engine/run/given_up.h"
#include "engine/run/health_watch.h"
#include "engine/run/retry_queue.h"
#include "engine/run_options.h"
#include "hwsim/base/fork_guard.h"
#include "hwsim/card/card.h"
#include "hwsim/completion/completion_service.h"

namespace engine::run {

// How a run goes where its RunOptions do not say.
struct RunPolicy {
  RetryPolicy retry = RetryPolicy::kWhenSpace;
  std::optional<hwsim::Duration> time_limit;
  Recovery recovery;
  // A job that waits for space is told by its callback too.
  bool callback_when_space = false;
};

// Counters only: no order needed.
struct RunCounters {
  std::atomic<uint64_t> again{0}, late{0}, timed_out{0}, cancelled{0}, spurious{0};
  std::atomic<uint64_t> synchronous{0}, retried{0}, in_software{0};
  static void Add(std::atomic<uint64_t>& counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
  }
};

struct RunResources {
  // Constant after the engine is made.
  const uint64_t engine_id;  // unique among all engines that this process ever makes
  const RunPolicy policy;
  const hwsim::ForkGuard& fork_guard;
  hwsim::card::Card& card;
  const std::span<const std::unique_ptr<RetryQueue>> retry_queues;  // one for each queue pair
  notify::Notifier& notifier;
  HealthWatch& health;
  DeadlineQueue& deadlines;
  GivenUp& given_up;
  hwsim::completion::CompletionService* service =
      nullptr;  // set by Engine::Create, before the first run

  RunCounters counters{};
  std::atomic<hwsim::Duration> poll_interval;  // stands alone: no order needed
  std::atomic<uint32_t> next_queue_pair{0};    // a counter: no order needed
  // The engine's timer has been woken, or will look by itself, because an operation waits for
  // space. Changed by exchange only: of two threads, the later one sees what the earlier one wrote
  // before its exchange.
  std::atomic<bool> sweeping{false};

  // Handles completions and grants the free slots: see Engine::Poll.
  size_t Poll(size_t quota = 0);
  // Grants the free slots. Returns whether an operation still waits, or has not claimed its slot.
  bool GrantAll();
  // See Engine::NextDeadline.
  std::optional<hwsim::TimePoint> NextDeadline() const;
  // The queue pair of the calling thread, chosen round robin when the thread first asks.
  uint32_t QueuePairOfThread();
};

// Makes `time` the earlier of the two; none is later than any time.
inline void KeepEarlier(std::optional<hwsim::TimePoint>& time,
                        std::optional<hwsim::TimePoint> other) {
  if (other && (!time || *other < *time)) time = other;
}

}  // namespace engine::run

#endif  // GHOSTCARD_ENGINE_RUN_RUN_RESOURCES_H_
