// JobLoad: many jobs on one application thread, driven through an engine as an event-loop server
// drives them: start a job, wait for its fd (epoll) or its callback (a ready list) when it pauses,
// resume it, start the next job.
//
// Threads: RunJobLoad runs on the caller's thread, which is the application's. The engine's threads
// run callbacks. Time: CLOCK_MONOTONIC.
#ifndef GHOSTCARD_TOOLS_LOAD_JOB_LOAD_H_
#define GHOSTCARD_TOOLS_LOAD_JOB_LOAD_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/engine.h"
#include "hwsim/base/clock.h"
#include "hwsim/base/error.h"
#include "tools/load/notify.h"
#include "tools/load/operation_factory.h"

namespace tools::load {

struct JobLoadOptions {
  Notify notify = Notify::kFd;
  uint32_t concurrency = 64;  // jobs under way at a time; >= 1
  uint64_t requests = 100'000;
  // Called often, with the number of finished requests; may be empty.
  std::function<void(uint64_t finished)> progress;
};

// How long one request took, in ns; UINT32_MAX: 4.29 s or more.
struct PhaseSample {
  uint32_t queueing_ns = 0;      // from the job's start until a service unit of the card took it
  uint32_t service_ns = 0;       // from there until the card completed it
  uint32_t notification_ns = 0;  // from there until the job finished
  uint32_t total_ns = 0;
};

struct JobLoadResult {
  uint64_t finished = 0;  // jobs finished: ok + err
  uint64_t ok = 0;        // jobs with a result
  uint64_t err = 0;       // jobs whose operation was refused, failed or was given up
  uint64_t again = 0;     // pauses with the status EAGAIN
  hwsim::Duration wall{};
  hwsim::Duration cpu{};             // user and system time of the whole process
  uint64_t sleeps = 0;               // voluntary context switches of the whole process
  std::vector<PhaseSample> samples;  // evenly spread over the run, at most kSamplesMax
  std::vector<uint32_t> retries;     // per sampled request: EAGAIN pauses before it was accepted
  std::vector<uint64_t> finished_per_job;  // for fairness; one entry per concurrent job
};
inline constexpr size_t kSamplesMax = 1'000'000;

// Runs `options.requests` jobs, each of which runs one operation on `engine`. Fails when jobs or
// descriptors run short, or when nothing finishes for 30 s; jobs that are under way are cancelled
// then. Requires: an engine without a binding, which uses waitctx's jobs. The caller is outside a
// job.
hwsim::Expected<JobLoadResult> RunJobLoad(engine::Engine& engine,
                                          const OperationFactory& operations,
                                          const JobLoadOptions& options);

}  // namespace tools::load

#endif  // GHOSTCARD_TOOLS_LOAD_JOB_LOAD_H_
