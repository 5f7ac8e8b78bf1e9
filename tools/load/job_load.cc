#include "tools/load/job_load.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "hwsim/base/check.h"
#include "hwsim/base/fd.h"
#include "tools/load/out_of_descriptors.h"
#include "tools/load/progress_watch.h"
#include "tools/load/ready_queue.h"
#include "waitctx/job.h"

namespace tools::load {

using engine::Outcome;
using waitctx::JobStatus;
using waitctx::Status;
using waitctx::WaitContext;
using waitctx::WaitContextRef;
using SteadyClock = std::chrono::steady_clock;

namespace {

struct LoadJob;
using ReadyJobs = ReadyQueue<LoadJob>;  // the jobs whose callbacks ran

// One of the jobs that are under way at a time. It runs one request after the other, each in a job
// of its own.
struct LoadJob : ReadyItem {
  explicit LoadJob(engine::OperationHandle made) : operation(std::move(made)) {}

  WaitContextRef context;
  engine::OperationHandle operation;
  engine::Engine* engine = nullptr;
  waitctx::Job* job = nullptr;
  Outcome outcome = Outcome::kOk;
  SteadyClock::time_point started;
  uint32_t retries = 0;
  uint64_t finished = 0;
  bool fd_watched = false;
  ReadyJobs* ready = nullptr;
};

int RunOneOperation(void* args) {
  LoadJob& load_job = **static_cast<LoadJob**>(args);
  load_job.outcome = load_job.engine->Run(load_job.operation);
  return 0;
}

uint32_t Nanoseconds(SteadyClock::duration duration) {
  const int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(ns, 0, UINT32_MAX));
}

// What the whole process used.
struct ProcessUse {
  hwsim::Duration cpu{};
  int64_t sleeps = 0;

  static ProcessUse Now() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto time = [](const timeval& value) {
      return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
    };
    return {.cpu = time(usage.ru_utime) + time(usage.ru_stime), .sleeps = usage.ru_nvcsw};
  }
};

// The load fails when no request has finished for this long.
constexpr std::chrono::seconds kPatience{30};

class JobLoad {
 public:
  JobLoad(engine::Engine& engine, const OperationFactory& operations, const JobLoadOptions& options)
      : engine_(engine),
        options_(options),
        inline_(engine.options().completion == hwsim::completion::CompletionMode::kInline),
        callback_when_space_(engine.options().retry == engine::RetryPolicy::kWhenSpace &&
                             engine.options().callback_when_space),
        sample_every_((options.requests + kSamplesMax - 1) / kSamplesMax) {
    for (uint32_t i = 0; i < options.concurrency; ++i) {
      LoadJob& load_job = load_jobs_.emplace_back(operations.Make());
      load_job.context = WaitContext::Create();
      load_job.engine = &engine;
      load_job.ready = &ready_;
      if (options.notify == Notify::kCallback) {
        load_job.context->SetCallback({[](void* argument) {
                                         LoadJob& told = *static_cast<LoadJob*>(argument);
                                         told.ready->Push(told);
                                         return 0;
                                       },
                                       &load_job});
      }
    }
    result_.samples.reserve(std::min<uint64_t>(options.requests, kSamplesMax));
    result_.retries.reserve(std::min<uint64_t>(options.requests, kSamplesMax));
  }
  ~JobLoad() {
    for (LoadJob& load_job : load_jobs_) load_job.context->Close();
  }
  JobLoad(const JobLoad&) = delete;
  JobLoad& operator=(const JobLoad&) = delete;

  hwsim::Expected<JobLoadResult> Run() {
    epoll_ = hwsim::UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.valid()) return hwsim::Unexpected(hwsim::SystemError("epoll_create1", errno));
    RunJobs();
    if (error_) {
      CancelJobs();
      return hwsim::Unexpected(*error_);
    }
    if (gave_up_.load(std::memory_order_relaxed)) {
      return hwsim::Unexpected(
          fmt::format("nothing finished for {} s, after {} of {} requests: the card does not "
                      "complete the requests that it accepted",
                      kPatience.count(), result_.ok, options_.requests));
    }
    for (const LoadJob& load_job : load_jobs_) {
      result_.finished_per_job.push_back(load_job.finished);
    }
    return std::move(result_);
  }

 private:
  bool StartsMore() const {
    return started_ < options_.requests && !error_ && !gave_up_.load(std::memory_order_relaxed);
  }

  // Runs the jobs and measures the run.
  void RunJobs() {
    const ProcessUse before = ProcessUse::Now();
    const auto start = SteadyClock::now();
    ProgressWatch watch({.interval = std::chrono::seconds(1),
                         .patience = kPatience,
                         .on_stall = [this] { GiveUp(); }});
    for (LoadJob& load_job : load_jobs_) Start(load_job);
    while (StartsMore() || (result_.finished < started_ && !error_)) {
      const uint64_t finished_before = result_.finished;
      if (inline_ && engine_.Poll() == 0) std::this_thread::yield();
      ResumeReady();
      RetryRefused(result_.finished != finished_before);
      watch.Note(result_.finished);
      if (options_.progress) options_.progress(result_.finished);
    }
    result_.wall = SteadyClock::now() - start;
    const ProcessUse after = ProcessUse::Now();
    result_.cpu = after.cpu - before.cpu;
    result_.sleeps = static_cast<uint64_t>(after.sleeps - before.sleeps);
  }

  // On the watch's thread: starts no more jobs, and cancels the operations that are under way.
  void GiveUp() {
    gave_up_.store(true, std::memory_order_relaxed);
    for (LoadJob& load_job : load_jobs_) engine_.Cancel(load_job.operation);
  }

  // After an error: cancels the operations that are under way and resumes their jobs until they
  // end, without waiting for a notification.
  void CancelJobs() {
    for (LoadJob& load_job : load_jobs_) {
      if (load_job.job == nullptr) continue;
      engine_.Cancel(load_job.operation);
      int job_result = 0;
      while (waitctx::ResumeJob(load_job.job, job_result) == JobStatus::kPaused) {
        if (inline_) engine_.Poll();
        std::this_thread::yield();
      }
    }
  }

  // Starts the next request. One that finishes without a pause is followed by another, until one
  // pauses.
  void Start(LoadJob& load_job) {
    while (StartsMore()) {
      ++started_;
      load_job.started = SteadyClock::now();
      load_job.retries = 0;
      LoadJob* const args = &load_job;
      int job_result = 0;
      const JobStatus status =
          waitctx::StartJob(load_job.job, load_job.context.get(), job_result, RunOneOperation,
                            std::as_bytes(std::span(&args, 1)));
      if (status != JobStatus::kFinished) return Paused(load_job, status);
      Finished(load_job);
    }
  }

  void Resume(LoadJob& load_job) {
    // A fault can make the wait fd readable after the last request of this job.
    if (load_job.job == nullptr) return;
    int job_result = 0;
    const JobStatus status = waitctx::ResumeJob(load_job.job, job_result);
    if (status != JobStatus::kFinished) return Paused(load_job, status);
    Finished(load_job);
    Start(load_job);
  }

  void Paused(LoadJob& load_job, JobStatus status) {
    if (status != JobStatus::kPaused) {
      error_ = hwsim::Error{std::string("a job could not be run: ") + waitctx::LastJobError()};
      return;
    }
    const bool again = load_job.context->status() == static_cast<int>(Status::kAgain);
    if (again) {
      ++result_.again;
      ++load_job.retries;
    }
    if (options_.notify == Notify::kCallback) {
      if (again && !callback_when_space_) to_retry_.push_back(&load_job);
      return;
    }
    if (!load_job.fd_watched) Watch(load_job);
  }

  void Watch(LoadJob& load_job) {
    int fd = -1;
    if (load_job.context->wait_fd_count() == 0) {
      error_ = OutOfDescriptors(options_.concurrency, "jobs", /*callback_needs_fewer=*/true);
      return;
    }
    load_job.context->CopyWaitFds(std::span(&fd, 1));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &load_job}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      error_ = hwsim::SystemError("epoll_ctl", errno);
      return;
    }
    load_job.fd_watched = true;
  }

  // Resumes the jobs that were notified. Sleeps until there is one, unless the application polls
  // or each paused job is to be retried.
  void ResumeReady() {
    const bool may_sleep = !inline_ && to_retry_.size() < started_ - result_.finished;
    if (options_.notify == Notify::kCallback) {
      const auto resume = [this](LoadJob& load_job) { Resume(load_job); };
      if (ready_.TakeAll(resume) == 0 && may_sleep) {
        ready_.SleepUntilReady();
        ready_.TakeAll(resume);
      }
      return;
    }
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   may_sleep ? -1 : 0);
    for (int i = 0; i < count; ++i) {
      Resume(*static_cast<LoadJob*>(events[static_cast<size_t>(i)].data.ptr));
    }
  }

  // Resumes jobs that met a full queue pair and get no notification: the oldest first, until one
  // is refused again.
  void RetryRefused(bool slots_may_be_free) {
    if (to_retry_.empty()) return;
    if (!slots_may_be_free && engine_.in_flight() > 0) return;
    for (size_t left = to_retry_.size(); left > 0 && !error_; --left) {
      LoadJob& load_job = *to_retry_.front();
      to_retry_.pop_front();
      const uint32_t retries_before = load_job.retries;
      const uint64_t finished_before = load_job.finished;
      Resume(load_job);
      if (load_job.finished == finished_before && load_job.retries != retries_before) {
        // Refused again: Paused put it at the tail, but it is still the oldest.
        to_retry_.pop_back();
        to_retry_.push_front(&load_job);
        return;
      }
    }
  }

  void Finished(LoadJob& load_job) {
    const auto now = SteadyClock::now();
    ++result_.finished;
    ++load_job.finished;
    ++(load_job.outcome == Outcome::kOk ? result_.ok : result_.err);
    if (result_.finished % sample_every_ != 0) return;
    const hwsim::operations::Request& request = load_job.operation.request();
    PhaseSample sample{.total_ns = Nanoseconds(now - load_job.started)};
    if (load_job.outcome == Outcome::kOk) {
      sample.queueing_ns = Nanoseconds(request.service_start - load_job.started);
      sample.service_ns = Nanoseconds(request.completed - request.service_start);
      sample.notification_ns = Nanoseconds(now - request.completed);
    }
    result_.samples.push_back(sample);
    result_.retries.push_back(load_job.retries);
  }

  engine::Engine& engine_;
  const JobLoadOptions& options_;
  const bool inline_;
  const bool callback_when_space_;
  const uint64_t sample_every_;
  std::deque<LoadJob> load_jobs_;
  ReadyJobs ready_;
  std::deque<LoadJob*> to_retry_;
  hwsim::UniqueFd epoll_;
  uint64_t started_ = 0;
  JobLoadResult result_;
  std::atomic<bool> gave_up_{false};  // relaxed: nothing else depends on it
  std::optional<hwsim::Error> error_;
};

}  // namespace

hwsim::Expected<JobLoadResult> RunJobLoad(engine::Engine& engine,
                                          const OperationFactory& operations,
                                          const JobLoadOptions& options) {
  GHOSTCARD_CHECK(options.concurrency >= 1, "a job load needs at least one job");
  return JobLoad(engine, operations, options).Run();
}

}  // namespace tools::load
