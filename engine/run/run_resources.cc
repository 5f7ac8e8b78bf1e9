#include "engine/run/run_resources.h"

namespace engine::run {

size_t RunResources::Poll(size_t quota) {
  if (!fork_guard.InCreator()) return 0;
  const size_t handled = service->Poll(quota);
  GrantAll();
  return handled;
}

bool RunResources::GrantAll() {
  bool crowded = false;
  for (const auto& queue : retry_queues) {
    queue->Grant();
    crowded = crowded || queue->crowded();
  }
  return crowded;
}

std::optional<hwsim::TimePoint> RunResources::NextDeadline() const {
  if (!fork_guard.InCreator()) return std::nullopt;
  std::optional<hwsim::TimePoint> next = deadlines.Next();
  KeepEarlier(next, health.NextLook());
  KeepEarlier(next, notifier.NextResignal());
  return next;
}

uint32_t RunResources::QueuePairOfThread() {
  struct Choice {
    uint64_t engine = 0;
    uint32_t index = 0;
  };
  thread_local Choice choice;
  if (choice.engine != engine_id) {
    const uint32_t turn = next_queue_pair.fetch_add(1, std::memory_order_relaxed);
    choice = {engine_id, turn % static_cast<uint32_t>(card.queue_pairs().size())};
  }
  return choice.index;
}

}  // namespace engine::run
