// Workload: many jobs on one application thread, driven through an engine as an
// event-loop server drives them: start a job, and when it pauses wait for its fd
// (epoll) or its callback (a ready list), resume it, start the next one.
//
// Threads: Run on the caller's thread, which is the application's; callbacks on the
// engine's. Time: CLOCK_MONOTONIC.
#ifndef GHOSTCARD_TOOLS_WORKLOAD_H_
#define GHOSTCARD_TOOLS_WORKLOAD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "hwsim/operations.h"

namespace tools {

enum class Notify : uint8_t { kFd, kCallback };
std::string_view NotifyName(Notify notify);  // "fd", "callback"

// Makes operations of one kind with fixed inputs.
class OperationFactory {
 public:
  // `size_bytes` is the input's length where the kind has one. Fails when a key cannot be made.
  static hwsim::Expected<OperationFactory> Create(hwsim::OperationKind kind, uint32_t size_bytes);
  engine::OperationHandle Make() const { return make_(); }

 private:
  explicit OperationFactory(std::function<engine::OperationHandle()> make)
      : make_(std::move(make)) {}
  std::function<engine::OperationHandle()> make_;
};

struct WorkloadOptions {
  Notify notify = Notify::kFd;
  uint32_t concurrency = 64;  // jobs under way at a time; >= 1
  uint64_t requests = 100'000;
  // Called now and then with the number of finished requests; may be empty.
  std::function<void(uint64_t finished)> progress;
};

// What one request took, in ns; UINT32_MAX: 4.29 s or more.
struct PhaseSample {
  uint32_t queueing_ns = 0;      // from the job's start until an engine of the card took it up
  uint32_t service_ns = 0;       // from there until the card completed it
  uint32_t notification_ns = 0;  // from there until the job had finished
  uint32_t total_ns = 0;
};

struct WorkloadResult {
  uint64_t finished = 0;  // jobs finished
  uint64_t ok = 0;        // of them with a result
  uint64_t err = 0;       // refused, failed, given up
  uint64_t again = 0;     // EAGAIN pauses seen
  hwsim::Duration wall{};
  hwsim::Duration cpu{};             // user and system time of the whole process
  uint64_t sleeps = 0;               // voluntary context switches of the whole process
  std::vector<PhaseSample> samples;  // evenly spread over the run, at most kSamplesMax
  std::vector<uint32_t> retries;     // per sampled request: EAGAIN pauses before it was accepted
  std::vector<uint64_t> finished_per_job;  // for fairness; one entry per concurrent job
};
inline constexpr size_t kSamplesMax = 1'000'000;

// Runs `options.requests` jobs, each running one operation on `engine`. Requires: waitctx's own
// jobs (no binding), called outside a job. Fails when jobs or descriptors cannot be had, and when
// nothing finishes for 30 s; what is under way is cancelled then.
hwsim::Expected<WorkloadResult> RunWorkload(engine::Engine& engine,
                                            const OperationFactory& operations,
                                            const WorkloadOptions& options);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_WORKLOAD_H_
