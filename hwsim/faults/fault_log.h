// FaultLog: the faults that fired, in order, each with the request that it hit.
//
// Threads: every method from any thread. Time: the card's clock.
// Limits: keeps the first kEventsMax faults, and counts all.
#ifndef GHOSTCARD_HWSIM_FAULTS_FAULT_LOG_H_
#define GHOSTCARD_HWSIM_FAULTS_FAULT_LOG_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hwsim/base/mutex.h"
#include "hwsim/faults/fault_plan.h"

namespace hwsim::faults {

struct FaultEvent {
  static constexpr uint64_t kNoRequest = 0;

  FaultKind kind{};
  uint32_t rule = 0;  // index in the plan
  TimePoint at{};
  // The request that the fault hit: its queue pair and its Request::number. kNoRequest: a fault of
  // the whole card that fired by the clock.
  uint32_t queue_pair = 0;
  uint64_t request = kNoRequest;
  operations::OperationKind operation = operations::OperationKind::kNull;

  friend bool operator==(const FaultEvent&, const FaultEvent&) = default;
};

// "12500ns response_dropped rule 0, queue pair 1, request 7 (sha256)": time since `start`.
std::string FaultLine(const FaultEvent& event, TimePoint start = {});

class FaultLog {
 public:
  static constexpr size_t kEventsMax = size_t{1} << 20;

  void Append(const FaultEvent& event);

  // The faults from index `first` on. A caller that passes the number of faults it has seen gets
  // the new ones only.
  std::vector<FaultEvent> Events(size_t first = 0) const;
  // One FaultLine per fault.
  std::string Text(TimePoint start = {}) const;
  uint64_t count(FaultKind kind) const;
  uint64_t total() const;

 private:
  mutable Mutex mutex_;
  std::vector<FaultEvent> events_ GHOSTCARD_GUARDED_BY(mutex_);
  std::array<uint64_t, kFaultKindCount> counts_ GHOSTCARD_GUARDED_BY(mutex_){};
  uint64_t total_ GHOSTCARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace hwsim::faults

#endif  // GHOSTCARD_HWSIM_FAULTS_FAULT_LOG_H_
