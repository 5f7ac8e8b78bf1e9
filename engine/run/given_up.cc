#include "engine/run/given_up.h"

#include "hwsim/base/coverage_mark.h"

namespace engine::run {

using hwsim::MutexLock;

bool GivenUp::Add(OperationState& operation, hwsim::TimePoint now) {
  const MutexLock lock(mutex_);
  if (operation.phase.now() != Phase::kStopped) return false;
  operations_.emplace(&operation, now);
  return true;
}

bool GivenUp::OnCompletion(OperationState& operation) {
  bool late = false;
  bool abandoned = false;
  {
    const MutexLock lock(mutex_);
    late = operations_.erase(&operation) != 0;
    if (!late) GHOSTCARD_COVERAGE_MARK("completed between its stop and its owner's look");
    abandoned = operation.phase.LetGo();
  }
  if (abandoned) {
    GHOSTCARD_COVERAGE_MARK("an abandoned operation came back");
    operation.deleter(&operation);
  }
  return late;
}

std::optional<hwsim::TimePoint> GivenUp::Oldest() const {
  std::optional<hwsim::TimePoint> oldest;
  const MutexLock lock(mutex_);
  for (const auto& [operation, given_up_at] : operations_) {
    if (!oldest || given_up_at < *oldest) oldest = given_up_at;
  }
  return oldest;
}

void GivenUp::LetGoOfAll() {
  std::unordered_map<OperationState*, hwsim::TimePoint> operations;
  {
    const MutexLock lock(mutex_);
    operations.swap(operations_);
  }
  for (const auto& [operation, given_up_at] : operations) {
    if (operation->phase.LetGo()) operation->deleter(operation);
  }
}

}  // namespace engine::run
