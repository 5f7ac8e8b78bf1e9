// The Tracker's part about jobs: starts, pauses, resumes, ends.
#include <algorithm>
#include <iterator>
#include <utility>

#include "waitctx/check/thread_number.h"
#include "waitctx/check/tracker.h"
#include "waitctx/check/wait_signal.h"

namespace waitctx::check {

void Tracker::BeforeStart(Run& run) {
  Recorder::Get().Count(&Counts::jobs);
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    Context* context = Find(run.context);
    if (context == nullptr) return;
    run.context_number = context->number;
    if (context->jobs++ > 0) {
      const Job* other = PausedJobOn(*context);
      findings.push_back(
          {Rule::kContextShared, nullptr, other == nullptr ? nullptr : other->paused});
    }
  }
  Report(findings);
}

bool Tracker::BeforeResume(ASYNC_JOB* job, Run& run) {
  Findings findings;
  bool allowed = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(job);
    if (found == jobs_.end() || found->second.running) {
      findings.push_back({Rule::kResumeRefused, nullptr, nullptr});
    } else if (found->second.thread != ThreadNumber()) {
      findings.push_back({Rule::kResumeRefused, nullptr, found->second.started});
    } else {
      allowed = true;
      Job& state = found->second;
      run.job = job;
      run.context = state.context;
      run.context_number = state.context_number;
      Recorder::Get().Count(&Counts::resumes);
      Recorder::Get().AddPausedJobs(state.inherited ? 0 : -1);
      state.running = true;
      Context* context = ContextOf(state);
      if (context == nullptr) {
        Recorder::Get().Count(&Counts::polls);
      } else {
        if (std::exchange(state.inherited, false)) ++context->jobs;
        CheckReadiness(*context, state, findings);
        context->called_back = false;
        context->status_at_pause = -1;
      }
    }
  }
  Report(findings);
  return allowed;
}

// Whether the job that is resumed could know that it should be. Nothing is said where the manual
// has the application try again unasked: nothing to wait on, ASYNC_STATUS_EAGAIN, ASYNC_STATUS_ERR;
// nor where two jobs share a context, and the other may have had the signal.
void Tracker::CheckReadiness(Context& context, const Job& job, Findings& findings) {
  CheckClosedFds(context, findings);
  bool ready = false;
  bool waits = false;
  for (WaitFd& entry : context.fds) {
    entry.signal_at_resume = 0;
    if (entry.fd < 0) continue;
    waits = true;
    if (StateOf(entry.fd) == FdState::kQuiet) continue;
    ready = true;
    entry.signal_at_resume = SignalOn(entry.fd);
  }
  const bool retry = context.status == ASYNC_STATUS_EAGAIN;
  if (retry) Recorder::Get().Count(&Counts::retries);
  if (retry || context.status == ASYNC_STATUS_ERR || context.jobs > 1) return;
  if (context.called_back || (context.callback.first != nullptr && !context.callback_watched)) {
    return;
  }
  CheckFdsAsked(context, findings);
  if (!waits && !(context.callback.first != nullptr && context.expects_call)) {
    Recorder::Get().Count(&Counts::polls);
  } else if (!ready) {
    findings.push_back({Rule::kBusyResume, nullptr, job.paused});
  }
}

void Tracker::CheckFdsAsked(const Context& context, Findings& findings) const {
  const auto same = [](const WaitFd& entry, uint64_t number) { return entry.number == number; };
  if (std::equal(context.fds.begin(), context.fds.end(), context.told_fds.begin(),
                 context.told_fds.end(), same)) {
    return;
  }
  const CallStack* set_at = context.fds.empty() ? nullptr : context.fds.back().set_at;
  findings.push_back({Rule::kFdsNotAsked, nullptr, set_at});
}

void Tracker::CheckClosedFds(const Context& context, Findings& findings) const {
  for (const WaitFd& entry : context.fds) {
    if (entry.fd >= 0 && StateOf(entry.fd) == FdState::kClosed) {
      findings.push_back({Rule::kWaitFdClosed, nullptr, entry.set_at, entry.fd});
    }
  }
}

Tracker::Job& Tracker::JobFor(ASYNC_JOB* job, Run& run) {
  const auto [found, made] = jobs_.try_emplace(job);
  Job& state = found->second;
  if (made) {
    state.context = run.context;
    state.context_number = run.context_number;
    state.thread = ThreadNumber();
    state.started = run.started;
    run.job = job;
  }
  return state;
}

void Tracker::OnPause(ASYNC_JOB* job, Run& run) {
  const CallStack* here = Keep(CallStack::Here());
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    Job& state = JobFor(job, run);
    if (state.blocks > 0) {
      findings.push_back({Rule::kPauseBlocked, here, state.blocked});
    } else {
      state.paused = here;
      state.running = false;
      Recorder::Get().Count(&Counts::pauses);
      Recorder::Get().AddPausedJobs(1);
      if (Context* context = ContextOf(state); context != nullptr) {
        context->status_at_pause = context->status;
        CheckClosedFds(*context, findings);
      }
    }
  }
  Report(findings);
}

void Tracker::OnRefused(const Run& run) {
  const std::lock_guard lock(mutex_);
  Context* context = Find(run.context);
  const bool same = context != nullptr && context->number == run.context_number;
  if (run.job == nullptr) {
    if (same) --context->jobs;
  } else if (const auto found = jobs_.find(run.job); found != jobs_.end()) {
    found->second.running = false;
    Recorder::Get().AddPausedJobs(1);
  }
}

void Tracker::OnFinish(const Run& run) {
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    Context* context = Find(run.context);
    if (context != nullptr && context->number != run.context_number) context = nullptr;
    if (const auto found = jobs_.find(run.job); run.job != nullptr && found != jobs_.end()) {
      const Job& job = found->second;
      if (job.blocks > 0) findings.push_back({Rule::kLeftBlocked, job.blocked, job.started});
      if (context != nullptr && context->jobs == 1 && run.started == nullptr) {
        CheckSignalsRead(*context, job.paused, findings);
      }
      jobs_.erase(found);
    }
    if (context != nullptr) {
      --context->jobs;
      context->expects_call = false;
      if (context->freed && context->jobs == 0) ForgetFds(*context);
    }
  }
  Report(findings);
}

// Of those that were ready when the job was last resumed.
void Tracker::CheckSignalsRead(const Context& context, const CallStack* paused,
                               Findings& findings) const {
  for (const WaitFd& entry : context.fds) {
    const auto sharers = fd_entries_.find(entry.fd);
    const bool shared = sharers != fd_entries_.end() && sharers->second > 1;
    if (shared || entry.signal_at_resume <= 0) continue;
    if (SignalOn(entry.fd) >= entry.signal_at_resume) {
      findings.push_back({Rule::kWaitFdNotRead, paused, entry.set_at, entry.fd});
    }
  }
}

const Tracker::Job* Tracker::PausedJobOn(const Context& context) const {
  if (context.jobs == 0) return nullptr;
  for (const auto& [handle, job] : jobs_) {
    if (job.context_number == context.number && !job.running && !job.inherited) return &job;
  }
  return nullptr;
}

void Tracker::OnBlock(ASYNC_JOB* job, Run& run) {
  const CallStack* here = Keep(CallStack::Here());
  const std::lock_guard lock(mutex_);
  Job& state = JobFor(job, run);
  ++state.blocks;
  state.blocked = here;
}

void Tracker::OnUnblock(ASYNC_JOB* job) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(job);
  if (found != jobs_.end() && found->second.blocks > 0) --found->second.blocks;
}

// --- ends ---

void Tracker::OnCleanupThread() {
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [handle, job] : jobs_) {
      if (job.thread == ThreadNumber() && !job.running && !job.inherited) {
        findings.push_back({Rule::kCleanupEarly, nullptr, job.started});
      }
    }
  }
  Report(findings);
}

void Tracker::TakeLeaks(uint64_t thread, Findings& findings) {
  for (auto entry = jobs_.begin(); entry != jobs_.end();) {
    const Job& job = entry->second;
    const bool leaked = !job.running && (thread == 0 || job.thread == thread);
    if (leaked && !job.inherited) findings.push_back({Rule::kJobLeaked, job.started, job.paused});
    entry = leaked ? jobs_.erase(entry) : std::next(entry);
  }
}

void Tracker::OnThreadExit() {
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    TakeLeaks(ThreadNumber(), findings);
  }
  Report(findings);
}

void Tracker::OnProcessExit() {
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    TakeLeaks(0, findings);
  }
  Report(findings);
}

void Tracker::BeforeFork() { mutex_.lock(); }

void Tracker::AfterForkInParent() { mutex_.unlock(); }

void Tracker::AfterForkInChild() {
  for (auto& [address, context] : contexts_) context.jobs = 0;
  for (auto& [handle, job] : jobs_) {
    // The forking thread's own job goes on in the child; others' are the parent's to resume.
    job.inherited = !job.running || job.thread != ThreadNumber();
    if (job.inherited) continue;
    if (Context* context = ContextOf(job); context != nullptr) ++context->jobs;
  }
  mutex_.unlock();
}

}  // namespace waitctx::check
