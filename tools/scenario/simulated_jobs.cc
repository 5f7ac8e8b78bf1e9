#include "tools/scenario/simulated_jobs.h"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/awaiter.h"
#include "waitctx/job.h"

namespace tools::scenario {

using engine::Outcome;
using hwsim::Duration;
using hwsim::TimePoint;
using waitctx::Status;
using Wait = SimulatedJob::Wait;

namespace {

// How long a job that tries by itself waits before it does.
constexpr Duration kTryInterval = std::chrono::microseconds(100);

bool HasStatus(const SimulatedJob& job, Status status) {
  return job.context->status() == static_cast<int>(status);
}

}  // namespace

// --- operations ---

// A time up to 4 ms from now, early times more often.
TimePoint SimulatedJobs::DrawTimeSoon() {
  const double share = system_.random().NextDouble();
  return Now() + Duration(static_cast<int64_t>(share * share * 4e6));
}

void SimulatedJobs::SetTimes(SimulatedJob& job) {
  job.deadline.reset();
  job.cancel_at.reset();
  job.free_at.reset();
  const std::optional<Duration> limit =
      in_liveness_phase() ? std::optional<Duration>(options_.patience) : options_.engine.time_limit;
  if (limit) job.deadline = Now() + *limit;
}

engine::RunOptions SimulatedJobs::BeginOne(SimulatedJob& job) {
  const bool liveness = in_liveness_phase();
  mix_.MakeNext(job, started_ + 1, !liveness);
  job.number = ++started_;
  job.in_place = options_.synchronous || (!liveness && system_.Chance(options_.in_place));
  job.cancelled = false;
  SetTimes(job);
  recorder_.Note(EventKind::kStarted, job, static_cast<uint8_t>(job.operation->request().kind));
  if (!liveness) {
    if (system_.Chance(options_.cancel)) job.cancel_at = DrawTimeSoon();
    if (system_.Chance(options_.free_context)) job.free_at = DrawTimeSoon();
  }
  engine::RunOptions run{.queue_pair = job.queue_pair, .in_place = job.in_place};
  if (liveness) run.time_limit = options_.patience;
  return run;
}

void SimulatedJobs::EndOne(SimulatedJob& job, Outcome outcome) {
  SimulatedJob::SoftwareResult software;
  if (outcome == Outcome::kOk || outcome == Outcome::kFailed) software = job.run_in_software();
  if (outcome == Outcome::kOk && !software.equal) ++recorder_.count("wrong");
  if (job.operation->in_software()) ++recorder_.count("in_software");
  recorder_.Note(EventKind::kEnded, job, static_cast<uint8_t>(outcome));
  system_.invariants().CheckCounts(system_.engine());
  system_.invariants().OnEnded(job, outcome, software);
  job.operation.reset();
  const std::string name(engine::OutcomeName(outcome));
  ++recorder_.count(name);
  ++ended_;
  if (outcome == Outcome::kCancelled && cancelling_all_) ++recorder_.count("stuck");
  if (in_liveness_phase() && outcome != Outcome::kOk &&
      system_.card().state() != hwsim::model::CardState::kLost) {
    recorder_.Break("with the faults over and everything ended, an operation ends as " + name);
  }
  if (job.context && HasStatus(job, Status::kError)) ++recorder_.count("err");
}

void SimulatedJobs::RunOne(SimulatedJob& job) {
  const engine::RunOptions run = BeginOne(job);
  EndOne(job, system_.engine().Run(*job.operation, run));
}

waitctx::Task<void> SimulatedJobs::RunOneInTask(SimulatedJob& job) {
  const engine::RunOptions run = BeginOne(job);
  if (job.in_place) {
    EndOne(job, system_.engine().Run(*job.operation, run));
  } else {
    EndOne(job, co_await system_.engine().RunAsync(*job.operation, run));
  }
}

void SimulatedJobs::RunWithoutJobs() {
  SimulatedJob job;
  const uint64_t operations = uint64_t{options_.jobs} * options_.operations;
  for (uint64_t i = 0; i < operations; ++i) {
    job.queue_pair = static_cast<uint32_t>(i / options_.operations % system_.queue_pair_count());
    RunOne(job);
  }
}

// --- runs of a job ---

void SimulatedJobs::Add(uint32_t queue_pair, uint32_t operations) {
  SimulatedJob& job = jobs_.emplace_back();
  job.index = static_cast<uint32_t>(jobs_.size() - 1);
  job.queue_pair = queue_pair;
  job.operations_left = operations;
  Start(job);
}

void SimulatedJobs::Start(SimulatedJob& job) {
  job.context = waitctx::WaitContext::Create();
  job.context_freed = job.restart = false;
  if (options_.notify == load::Notify::kCallback) {
    const auto callback = [](void* argument) {
      const auto* const target = static_cast<CallbackTarget*>(argument);
      target->jobs->OnCallback(*target->job);
      return 1;
    };
    callback_targets_.push_back({this, &job});
    job.context->SetCallback({callback, &callback_targets_.back()});
  }
  const SimulatedJob* const outer = system_.SetRunning(&job);
  if (options_.tasks) {
    job.task = std::make_unique<waitctx::Task<void>>(RunTask(job));
    job.task->Start(job.context);
  } else {
    job.fibre = std::make_unique<waitctx::Fibre>(job.context, [this, &job] {
      while (TakeNext(job)) RunOne(job);
      return 0;
    });
  }
  system_.SetRunning(outer);
  OnStopped(job);
  if (job.paused()) system_.invariants().OnPaused(job);
}

bool SimulatedJobs::TakeNext(SimulatedJob& job) const {
  if (job.operations_left == 0 || job.restart || system_.phase() == ScenarioPhase::kDraining) {
    return false;
  }
  --job.operations_left;
  return true;
}

waitctx::Task<void> SimulatedJobs::RunTask(SimulatedJob& job) {
  while (TakeNext(job)) co_await RunOneInTask(job);
}

// The job ran, and has paused or finished.
void SimulatedJobs::OnStopped(SimulatedJob& job) {
  if (!job.paused()) {
    job.wait = Wait::kNothing;
    return;
  }
  const bool again = HasStatus(job, Status::kAgain);
  job.wait = again ? Wait::kSpace : Wait::kResult;
  if (again) ++recorder_.count("again");
  recorder_.Note(again ? EventKind::kWaitsForSpace : EventKind::kWaitsForResult, job);
}

void SimulatedJobs::ForgetPause(SimulatedJob& job) {
  job.wait = Wait::kNothing;
  job.callback_ran = job.readable = job.notified_seen = false;
  job.callbacks = 0;
}

void SimulatedJobs::Resume(SimulatedJob& job) {
  Invariants& invariants = system_.invariants();
  const Wait waited = job.wait;
  const uint64_t number = job.number;
  const bool for_space = waited == Wait::kSpace;
  // A stale signal of a wait_fd_twice fault does not announce a free slot.
  const bool was_notified = job.notified() && !job.stale_signal;
  recorder_.Note(EventKind::kResumed, job);
  job.granted = job.notified() && for_space;
  job.stale_signal = waited == Wait::kResult && invariants.WaitFdSignalsTwice(job);
  ForgetPause(job);
  const SimulatedJob* const outer = system_.SetRunning(&job);
  job.Resume();
  system_.SetRunning(outer);
  invariants.TakeFaults();
  OnStopped(job);
  if (for_space && job.paused() && job.number == number && job.wait == waited) {
    invariants.OnPausedAgain(job, was_notified);
    return;
  }
  if (for_space) invariants.OnLeftSpaceQueue(job);
  if (job.paused()) invariants.OnPaused(job);
}

// --- notifications ---

// Whether nothing notifies the job when there is space for it.
bool SimulatedJobs::TriesByItself(const SimulatedJob& job) {
  return job.paused() && job.context->wait_fd_count() == 0 && job.wait == Wait::kSpace;
}

void SimulatedJobs::OnCallback(SimulatedJob& job) {
  ++job.callbacks;
  ++recorder_.count("callbacks");
  recorder_.Note(EventKind::kCallbackRan, job);
  system_.invariants().TakeFaults();
  system_.invariants().OnCallback(job);
  job.callback_ran = true;
  const bool may_resume = options_.resume_in_callback && system_.running() == nullptr &&
                          std::this_thread::get_id() == thread_ && job.paused();
  if (may_resume) Resume(job);
}

void SimulatedJobs::PollWaitFds() {
  polled_.clear();
  for (SimulatedJob& job : jobs_) {
    int fd = -1;
    if (!job.paused() || job.context->CopyWaitFds(std::span(&fd, 1)) == 0) continue;
    polled_.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    polled_jobs_.push_back(&job);
  }
  if (!polled_.empty()) ::poll(polled_.data(), polled_.size(), 0);
  for (size_t i = 0; i < polled_.size(); ++i) {
    SimulatedJob& job = *polled_jobs_[i];
    const bool readable = polled_[i].revents != 0;
    if (readable && !job.readable) recorder_.Note(EventKind::kWaitFdReadable, job);
    job.readable = readable;
  }
  polled_jobs_.clear();
}

// Whether the application has a reason to resume the job.
bool SimulatedJobs::IsReady(SimulatedJob& job, Resumed& resumed) {
  if (job.context_freed) return !std::exchange(job.tried_this_time, true);
  if (job.notified()) {
    if (!system_.Chance(options_.slow_resume)) return true;
    resumed.futile = true;
    return false;
  }
  return TriesByItself(job) && !std::exchange(job.tried_this_time, true);
}

SimulatedJobs::Resumed SimulatedJobs::ResumeReady() {
  Resumed resumed;
  // By index and up to today's count: resumed jobs may add jobs.
  const size_t count = jobs_.size();
  for (size_t i = 0; i < count; ++i) {
    SimulatedJob& job = jobs_[i];
    if (!job.paused()) continue;
    const bool needless = system_.Chance(options_.needless_resume);
    const bool readable = job.readable;
    if (!IsReady(job, resumed) && !needless) continue;
    if (readable) ++recorder_.count("wakes");
    const bool context_freed = job.context_freed;
    Resume(job);
    if (job.paused() && job.wait == Wait::kSpace) {
      resumed.futile = true;
    } else if (!context_freed || !job.paused()) {
      resumed.any = true;
    }
  }
  return resumed;
}

bool SimulatedJobs::RestartFreed() {
  bool any = false;
  for (SimulatedJob& job : jobs_) {
    if (!job.restart || job.paused()) continue;
    job.restart = false;
    if (job.operations_left == 0 || system_.phase() != ScenarioPhase::kFaults) continue;
    Start(job);
    any = true;
  }
  return any;
}

// --- the application's interventions ---

void SimulatedJobs::CancelAndFreeDue() {
  for (SimulatedJob& job : jobs_) {
    if (!job.paused()) continue;
    if (job.cancel_at && *job.cancel_at <= Now() && !job.cancelled) {
      job.cancelled = true;
      recorder_.Note(EventKind::kCancelled, job);
      system_.engine().Cancel(*job.operation);
    }
    if (job.paused() && job.free_at && *job.free_at <= Now() && !job.context_freed) {
      job.restart = true;
      if (options_.tasks && system_.Chance(0.5)) DestroyTask(job);
      FreeContext(job);
    }
  }
}

// Destroying the task gives its operation up.
void SimulatedJobs::DestroyTask(SimulatedJob& job) {
  job.cancelled = true;
  recorder_.Note(EventKind::kCancelled, job);
  system_.invariants().OnLeftSpaceQueue(job);
  job.task.reset();
  ForgetPause(job);
  job.stale_signal = false;
  EndOne(job, Outcome::kCancelled);
}

void SimulatedJobs::FreeContext(SimulatedJob& job) {
  int fd = -1;
  job.context->CopyWaitFds(std::span(&fd, job.context->wait_fd_count() == 0 ? 0 : 1));
  recorder_.Note(EventKind::kContextFreed, job);
  job.context_freed = true;
  job.context->Close();
  if (fd < 0) return;
  // Another descriptor gets the freed number, as in a busy process. It must not be signalled.
  auto other = hwsim::EventFd::Create();
  if (!other) return;
  const int sentinel = ::fcntl(other->fd(), F_DUPFD_CLOEXEC, fd);
  if (sentinel >= 0) sentinels_.emplace_back(sentinel);
}

void SimulatedJobs::FreeAllContexts() {
  for (SimulatedJob& job : jobs_) {
    if (!job.context_freed) FreeContext(job);
  }
}

void SimulatedJobs::CancelOne(SimulatedJob& job) {
  constexpr int kTriesMax = 1000;
  for (int tries = 0; job.paused(); ++tries) {
    if (tries == kTriesMax) {
      recorder_.Break("a job that is cancelled does not end");
      // Leaks what the engine may still use.
      static_cast<void>(job.fibre.release());
      static_cast<void>(job.task.release());
      static_cast<void>(job.operation.release());
      return;
    }
    job.cancelled = true;
    system_.engine().Cancel(*job.operation);
    if (job.paused()) Resume(job);
  }
}

void SimulatedJobs::CancelAll() {
  cancelling_all_ = true;
  for (SimulatedJob& job : jobs_) CancelOne(job);
}

// --- time and the end ---

void SimulatedJobs::OnTimeMoved() {
  for (SimulatedJob& job : jobs_) job.tried_this_time = false;
}

TimePoint SimulatedJobs::NextEvent(TimePoint end) const {
  TimePoint next = end;
  for (const SimulatedJob& job : jobs_) {
    if (!job.paused()) continue;
    if (TriesByItself(job) || job.context_freed) next = std::min(next, Now() + kTryInterval);
    if (job.cancel_at && !job.cancelled) next = std::min(next, *job.cancel_at);
    if (job.free_at && !job.context_freed) next = std::min(next, *job.free_at);
  }
  return next;
}

bool SimulatedJobs::AllFinished() const {
  return std::ranges::none_of(jobs_, [](const SimulatedJob& job) { return job.paused(); });
}

size_t SimulatedJobs::paused_count() const {
  return static_cast<size_t>(
      std::ranges::count_if(jobs_, [](const SimulatedJob& job) { return job.paused(); }));
}

void SimulatedJobs::CloseContexts() {
  for (SimulatedJob& job : jobs_) {
    if (!job.context_freed) job.context->Close();
    job.context_freed = true;
  }
}

void SimulatedJobs::CheckNoFreedFdSignalled() const {
  for (const hwsim::UniqueFd& sentinel : sentinels_) {
    if (hwsim::IsReadable(sentinel.get())) {
      recorder_.Break("a wait fd was signalled after its context was freed");
    }
  }
}

void SimulatedJobs::CheckAllEnded() const {
  if (ended_ == started_) return;
  recorder_.Break(std::to_string(started_) + " operations started, but " + std::to_string(ended_) +
                  " ended");
}

}  // namespace tools::scenario
