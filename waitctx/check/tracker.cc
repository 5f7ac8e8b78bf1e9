#include "waitctx/check/tracker.h"

#include "waitctx/check/call_stack.h"
#include "waitctx/check/recorder.h"
#include "waitctx/check/report_file.h"
#include "waitctx/check/rule.h"
#include "waitctx/check/thread_number.h"

namespace waitctx::check {

Tracker& Tracker::Get() {
  static auto& tracker = *new Tracker;  // never destroyed: threads may still call
  return tracker;
}

template <typename Update>
void Tracker::Locked(Update update) {
  BrokenRules broken;
  {
    const std::lock_guard lock(mutex_);
    update(broken);
  }
  ReportAll(broken);
}

template <typename Update>
void Tracker::WithContext(ASYNC_WAIT_CTX* context, Update update) {
  Locked([&](BrokenRules& broken) {
    if (TrackedContext* found = contexts_.Find(context); found != nullptr) update(*found, broken);
  });
}

// --- contexts ---

void Tracker::OnNew(ASYNC_WAIT_CTX* context) {
  Recorder::Get().Count(&Counts::contexts);
  const std::lock_guard lock(mutex_);
  contexts_.Add(context);
}

bool Tracker::CheckUsable(ASYNC_WAIT_CTX* context) {
  bool usable = false;
  Locked([&](BrokenRules& broken) {
    const TrackedContext* found = contexts_.Find(context);
    // A freed context exists until its jobs have finished.
    usable = found != nullptr && (!found->freed || found->being_freed || found->jobs > 0);
    if (usable) return;
    broken.push_back({Rule::kContextGone, nullptr, found == nullptr ? nullptr : found->freed_at});
  });
  return usable;
}

bool Tracker::OnFree(ASYNC_WAIT_CTX* context) {
  const CallStack* here = Keep(CallStack::Here());
  bool free = false;
  Locked([&](BrokenRules& broken) {
    TrackedContext* found = contexts_.Find(context);
    if (found == nullptr || found->freed) {
      broken.push_back({Rule::kContextGone, here, found == nullptr ? nullptr : found->freed_at});
      return;
    }
    if (const TrackedJob* job = jobs_.PausedJobOn(*found); job != nullptr) {
      broken.push_back({Rule::kContextFreed, here, job->paused});
    }
    found->freed = found->being_freed = free = true;
    found->freed_at = here;
  });
  return free;
}

void Tracker::OnFreed(ASYNC_WAIT_CTX* context) {
  const std::lock_guard lock(mutex_);
  contexts_.OnFreed(context);
}

void Tracker::OnSetWaitFd(ASYNC_WAIT_CTX* context, const void* key, int fd, bool cleaned_up) {
  const CallStack* here = Keep(CallStack::Here());
  WithContext(context, [&](TrackedContext& found, BrokenRules& broken) {
    contexts_.SetWaitFd(found, key, fd, cleaned_up, here, broken);
  });
}

void Tracker::BeforeClearFd(ASYNC_WAIT_CTX* context, const void* key) {
  WithContext(context, [&](const TrackedContext& found, BrokenRules& broken) {
    contexts_.CheckOpen(found, key, broken);
  });
}

void Tracker::OnClearFd(ASYNC_WAIT_CTX* context, const void* key) {
  const CallStack* here = Keep(CallStack::Here());
  WithContext(context, [&](TrackedContext& found, BrokenRules&) {
    contexts_.ClearWaitFd(found, key, here);
  });
}

void Tracker::OnFdsTold(ASYNC_WAIT_CTX* context) {
  WithContext(context, [](TrackedContext& found, BrokenRules&) {
    found.told_fds.clear();
    for (const TrackedWaitFd& entry : found.fds) found.told_fds.push_back(entry.number);
  });
}

void Tracker::OnSetCallback(ASYNC_WAIT_CTX* context, ASYNC_callback_fn callback, void* argument,
                            bool watched) {
  WithContext(context, [&](TrackedContext& found, BrokenRules&) {
    contexts_.SetCallback(context, found, callback, argument, watched);
  });
}

void Tracker::OnSetStatus(ASYNC_WAIT_CTX* context, int status) {
  WithContext(context, [&](TrackedContext& found, BrokenRules&) {
    found.status = status;
    found.expects_call = status == ASYNC_STATUS_OK;
  });
}

// --- callbacks ---

void Tracker::OnCallback(ASYNC_callback_fn stand_in, void* argument) {
  Recorder::Get().Count(&Counts::callbacks);
  Locked([&](BrokenRules& broken) { contexts_.OnCallback(stand_in, argument, broken); });
}

void Tracker::AfterCallback(ASYNC_callback_fn function, int64_t ns) {
  if (ns <= Recorder::Get().callback_bound_ns()) return;
  const CallStack* callback = Keep(CallStack::Of(reinterpret_cast<const void*>(function)));
  ReportAll({{Rule::kCallbackBlocks, callback, nullptr, ns}});
}

// --- jobs ---

void Tracker::BeforeStart(Run& run) {
  Recorder::Get().Count(&Counts::jobs);
  Locked([&](BrokenRules& broken) { jobs_.BeforeStart(run, broken); });
}

bool Tracker::BeforeResume(ASYNC_JOB* job, Run& run) {
  bool allowed = false;
  Locked([&](BrokenRules& broken) { allowed = jobs_.BeforeResume(job, run, broken); });
  return allowed;
}

void Tracker::OnRefused(const Run& run) {
  const std::lock_guard lock(mutex_);
  jobs_.OnRefused(run);
}

void Tracker::OnPause(ASYNC_JOB* job, Run& run) {
  const CallStack* here = Keep(CallStack::Here());
  Locked([&](BrokenRules& broken) { jobs_.OnPause(job, run, here, broken); });
}

void Tracker::OnFinish(const Run& run) {
  Locked([&](BrokenRules& broken) { jobs_.OnFinish(run, broken); });
}

void Tracker::OnBlock(ASYNC_JOB* job, Run& run) {
  const CallStack* here = Keep(CallStack::Here());
  const std::lock_guard lock(mutex_);
  jobs_.OnBlock(job, run, here);
}

void Tracker::OnUnblock(ASYNC_JOB* job) {
  const std::lock_guard lock(mutex_);
  jobs_.OnUnblock(job);
}

void Tracker::OnCleanupThread() {
  Locked([&](BrokenRules& broken) { jobs_.CheckCleanup(broken); });
}

// --- ends ---

void Tracker::OnThreadExit() {
  Locked([&](BrokenRules& broken) { jobs_.TakeLeaks(ThreadNumber(), broken); });
}

void Tracker::OnProcessExit() {
  Locked([&](BrokenRules& broken) { jobs_.TakeLeaks(0, broken); });
}

void Tracker::BeforeFork() { mutex_.lock(); }

void Tracker::AfterForkInParent() { mutex_.unlock(); }

void Tracker::AfterForkInChild() {
  jobs_.AfterForkInChild();
  mutex_.unlock();
}

}  // namespace waitctx::check
