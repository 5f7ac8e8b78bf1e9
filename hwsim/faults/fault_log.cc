#include "hwsim/faults/fault_log.h"

#include <algorithm>

namespace hwsim::faults {

std::string FaultLine(const FaultEvent& event, TimePoint start) {
  std::string line = std::to_string((event.at - start).count()) + "ns " +
                     std::string(FaultName(event.kind)) + " rule " + std::to_string(event.rule);
  if (event.request == FaultEvent::kNoRequest) return line;
  return line + ", queue pair " + std::to_string(event.queue_pair) + ", request " +
         std::to_string(event.request) + " (" +
         std::string(operations::OperationName(event.operation)) + ")";
}

void FaultLog::Append(const FaultEvent& event) {
  const MutexLock lock(mutex_);
  ++counts_[static_cast<size_t>(event.kind)];
  ++total_;
  if (events_.size() < kEventsMax) events_.push_back(event);
}

std::vector<FaultEvent> FaultLog::Events(size_t first) const {
  const MutexLock lock(mutex_);
  first = std::min(first, events_.size());
  return {events_.begin() + static_cast<ptrdiff_t>(first), events_.end()};
}

std::string FaultLog::Text(TimePoint start) const {
  std::string text;
  for (const FaultEvent& event : Events()) text += FaultLine(event, start) + '\n';
  return text;
}

uint64_t FaultLog::count(FaultKind kind) const {
  const MutexLock lock(mutex_);
  return counts_[static_cast<size_t>(kind)];
}

uint64_t FaultLog::total() const {
  const MutexLock lock(mutex_);
  return total_;
}

}  // namespace hwsim::faults
