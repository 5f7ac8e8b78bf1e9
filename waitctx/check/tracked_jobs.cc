#include "waitctx/check/tracked_jobs.h"

#include <iterator>
#include <utility>

#include "waitctx/check/recorder.h"
#include "waitctx/check/report_file.h"
#include "waitctx/check/rule.h"
#include "waitctx/check/thread_number.h"

namespace waitctx::check {

void TrackedJobs::BeforeStart(Run& run, BrokenRules& broken) {
  TrackedContext* context = contexts_.Find(run.context);
  if (context == nullptr) return;
  run.context_number = context->number;
  if (context->jobs++ == 0) return;
  const TrackedJob* other = PausedJobOn(*context);
  broken.push_back({Rule::kContextShared, nullptr, other == nullptr ? nullptr : other->paused});
}

bool TrackedJobs::BeforeResume(ASYNC_JOB* job, Run& run, BrokenRules& broken) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end() || found->second.running) {
    broken.push_back({Rule::kResumeRefused, nullptr, nullptr});
    return false;
  }
  TrackedJob& entry = found->second;
  if (entry.thread != ThreadNumber()) {
    broken.push_back({Rule::kResumeRefused, nullptr, entry.started});
    return false;
  }
  run.job = job;
  run.context = entry.context;
  run.context_number = entry.context_number;
  Recorder::Get().Count(&Counts::resumes);
  Recorder::Get().AddPausedJobs(entry.inherited ? 0 : -1);
  entry.running = true;
  TrackedContext* context = ContextOf(entry);
  if (context == nullptr) {
    Recorder::Get().Count(&Counts::polls);
    return true;
  }
  if (std::exchange(entry.inherited, false)) ++context->jobs;
  contexts_.CheckReadiness(*context, entry.paused, broken);
  context->called_back = false;
  context->status_at_pause = -1;
  return true;
}

TrackedJob& TrackedJobs::Entry(ASYNC_JOB* job, Run& run) {
  const auto [found, made] = jobs_.try_emplace(job);
  TrackedJob& entry = found->second;
  if (made) {
    entry.context = run.context;
    entry.context_number = run.context_number;
    entry.thread = ThreadNumber();
    entry.started = run.started;
    run.job = job;
  }
  return entry;
}

void TrackedJobs::OnPause(ASYNC_JOB* job, Run& run, const CallStack* here, BrokenRules& broken) {
  TrackedJob& entry = Entry(job, run);
  if (entry.blocks > 0) {
    broken.push_back({Rule::kPauseBlocked, here, entry.blocked});
    return;
  }
  entry.paused = here;
  entry.running = false;
  Recorder::Get().Count(&Counts::pauses);
  Recorder::Get().AddPausedJobs(1);
  if (TrackedContext* context = ContextOf(entry); context != nullptr) {
    context->status_at_pause = context->status;
    contexts_.CheckClosedFds(*context, broken);
  }
}

void TrackedJobs::OnRefused(const Run& run) {
  if (run.job == nullptr) {
    TrackedContext* context = contexts_.Find(run.context, run.context_number);
    if (context != nullptr) --context->jobs;
  } else if (const auto found = jobs_.find(run.job); found != jobs_.end()) {
    found->second.running = false;
    Recorder::Get().AddPausedJobs(1);
  }
}

void TrackedJobs::OnFinish(const Run& run, BrokenRules& broken) {
  TrackedContext* context = contexts_.Find(run.context, run.context_number);
  if (const auto found = jobs_.find(run.job); run.job != nullptr && found != jobs_.end()) {
    const TrackedJob& job = found->second;
    if (job.blocks > 0) broken.push_back({Rule::kLeftBlocked, job.blocked, job.started});
    if (context != nullptr && context->jobs == 1 && run.started == nullptr) {
      contexts_.CheckSignalsRead(*context, job.paused, broken);
    }
    jobs_.erase(found);
  }
  if (context == nullptr) return;
  --context->jobs;
  context->expects_call = false;
  if (context->freed && context->jobs == 0) contexts_.ForgetFds(*context);
}

void TrackedJobs::OnBlock(ASYNC_JOB* job, Run& run, const CallStack* here) {
  TrackedJob& entry = Entry(job, run);
  ++entry.blocks;
  entry.blocked = here;
}

void TrackedJobs::OnUnblock(ASYNC_JOB* job) {
  const auto found = jobs_.find(job);
  if (found != jobs_.end() && found->second.blocks > 0) --found->second.blocks;
}

const TrackedJob* TrackedJobs::PausedJobOn(const TrackedContext& context) const {
  if (context.jobs == 0) return nullptr;
  for (const auto& [handle, job] : jobs_) {
    if (job.context_number == context.number && !job.running && !job.inherited) return &job;
  }
  return nullptr;
}

void TrackedJobs::CheckCleanup(BrokenRules& broken) const {
  for (const auto& [handle, job] : jobs_) {
    if (job.thread == ThreadNumber() && !job.running && !job.inherited) {
      broken.push_back({Rule::kCleanupEarly, nullptr, job.started});
    }
  }
}

void TrackedJobs::TakeLeaks(uint64_t thread, BrokenRules& broken) {
  for (auto entry = jobs_.begin(); entry != jobs_.end();) {
    const TrackedJob& job = entry->second;
    const bool leaked = !job.running && (thread == 0 || job.thread == thread);
    if (leaked && !job.inherited) broken.push_back({Rule::kJobLeaked, job.started, job.paused});
    entry = leaked ? jobs_.erase(entry) : std::next(entry);
  }
}

void TrackedJobs::AfterForkInChild() {
  contexts_.ForgetJobs();
  for (auto& [handle, job] : jobs_) {
    // The forking thread's running job continues in the child; the parent resumes the others.
    job.inherited = !job.running || job.thread != ThreadNumber();
    if (job.inherited) continue;
    if (TrackedContext* context = ContextOf(job); context != nullptr) ++context->jobs;
  }
}

}  // namespace waitctx::check
