#include "engine/run/deadline_queue.h"

namespace engine::run {

using hwsim::MutexLock;

bool DeadlineQueue::Add(OperationState& operation) {
  const MutexLock lock(mutex_);
  const auto added = queue_.emplace(*operation.run.deadline, &operation);
  return added == queue_.begin();
}

void DeadlineQueue::Remove(OperationState& operation) {
  const MutexLock lock(mutex_);
  auto [first, last] = queue_.equal_range(*operation.run.deadline);
  for (; first != last; ++first) {
    if (first->second == &operation) {
      queue_.erase(first);
      return;
    }
  }
}

std::optional<hwsim::TimePoint> DeadlineQueue::Next() const {
  const MutexLock lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

}  // namespace engine::run
