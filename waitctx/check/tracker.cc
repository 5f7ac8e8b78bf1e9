#include "waitctx/check/tracker.h"

#include <algorithm>
#include <iterator>

#include "waitctx/check/wait_signal.h"

namespace waitctx::check {
namespace {

constexpr size_t kFreedCallbacksMax = 4096;

}  // namespace

Tracker& Tracker::Get() {
  static auto& tracker = *new Tracker;  // never destroyed: threads may still call
  return tracker;
}

void Tracker::Report(const Findings& findings) {
  if (findings.empty()) return;
  const CallStack here = CallStack::Here();
  for (const Broken& broken : findings) {
    Recorder::Get().Report(broken.rule, broken.site == nullptr ? here : *broken.site, broken.origin,
                           broken.measure);
  }
}

Tracker::Context* Tracker::Find(ASYNC_WAIT_CTX* context) {
  const auto found = contexts_.find(context);
  return found == contexts_.end() ? nullptr : &found->second;
}

Tracker::Context* Tracker::ContextOf(const Job& job) {
  Context* context = Find(job.context);
  return context != nullptr && context->number == job.context_number ? context : nullptr;
}

// --- contexts ---

void Tracker::OnNew(ASYNC_WAIT_CTX* context) {
  Recorder::Get().Count(&Counts::contexts);
  const std::lock_guard lock(mutex_);
  Context& made = contexts_[context];
  made = {};
  made.number = next_number_++;
}

bool Tracker::CheckUsable(ASYNC_WAIT_CTX* context) {
  const CallStack* freed_at = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const Context* found = Find(context);
    // Freed, it lives on for its jobs.
    if (found != nullptr && (!found->freed || found->being_freed || found->jobs > 0)) return true;
    if (found != nullptr) freed_at = found->freed_at;
  }
  Report({{Rule::kContextGone, nullptr, freed_at}});
  return false;
}

bool Tracker::OnFree(ASYNC_WAIT_CTX* context) {
  const CallStack* here = Keep(CallStack::Here());
  Findings findings;
  bool free = false;
  {
    const std::lock_guard lock(mutex_);
    Context* found = Find(context);
    if (found == nullptr || found->freed) {
      findings.push_back({Rule::kContextGone, here, found == nullptr ? nullptr : found->freed_at});
    } else {
      if (const Job* job = PausedJobOn(*found); job != nullptr) {
        findings.push_back({Rule::kContextFreed, here, job->paused});
      }
      found->freed = found->being_freed = free = true;
      found->freed_at = here;
    }
  }
  Report(findings);
  return free;
}

void Tracker::OnFreed(ASYNC_WAIT_CTX* context) {
  const std::lock_guard lock(mutex_);
  Context* found = Find(context);
  // Else the address is a new context's already.
  if (found == nullptr || !found->being_freed) return;
  found->being_freed = false;
  ForgetFds(*found);
  const auto callback = found->callback;
  const CallStack* freed_at = found->freed_at;
  DropCallback(context, *found);
  if (callback.first == nullptr || callbacks_.count(callback) != 0) return;
  if (freed_callbacks_.size() >= kFreedCallbacksMax) freed_callbacks_.clear();
  freed_callbacks_[callback] = freed_at;
}

void Tracker::ForgetFds(Context& context) {
  for (const WaitFd& entry : context.fds) --fd_entries_[entry.fd];
  context.fds.clear();
}

void Tracker::OnSetWaitFd(ASYNC_WAIT_CTX* context, const void* key, int fd, bool cleaned_up) {
  const CallStack* here = Keep(CallStack::Here());
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    Context* found = Find(context);
    if (found == nullptr) return;
    found->fds.push_back({key, fd, next_number_++, here, 0, cleaned_up});
    ++fd_entries_[fd];
    if (const auto left = cleared_fds_.OnSet(fd, here); left) {
      findings.push_back({Rule::kWaitFdLeftOpen, left->cleared_at, here, left->count});
    }
  }
  Report(findings);
}

void Tracker::BeforeClearFd(ASYNC_WAIT_CTX* context, const void* key) {
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    const Context* found = Find(context);
    if (found == nullptr) return;
    const auto entry = std::find_if(found->fds.rbegin(), found->fds.rend(),
                                    [&](const WaitFd& fd) { return fd.key == key; });
    if (entry == found->fds.rend() || entry->fd < 0) return;
    if (StateOf(entry->fd) != FdState::kClosed) return;
    findings.push_back({Rule::kWaitFdClosed, nullptr, entry->set_at, entry->fd});
  }
  Report(findings);
}

void Tracker::OnClearFd(ASYNC_WAIT_CTX* context, const void* key) {
  const CallStack* here = Keep(CallStack::Here());
  const std::lock_guard lock(mutex_);
  Context* found = Find(context);
  if (found == nullptr) return;
  const auto entry = std::find_if(found->fds.rbegin(), found->fds.rend(),
                                  [&](const WaitFd& fd) { return fd.key == key; });
  if (entry == found->fds.rend()) return;
  --fd_entries_[entry->fd];
  if (entry->cleaned_up) cleared_fds_.OnCleared(entry->fd, entry->set_at, here);
  found->fds.erase(std::next(entry).base());
}

void Tracker::OnFdsTold(ASYNC_WAIT_CTX* context) {
  const std::lock_guard lock(mutex_);
  Context* found = Find(context);
  if (found == nullptr) return;
  found->told_fds.clear();
  for (const WaitFd& entry : found->fds) found->told_fds.push_back(entry.number);
}

void Tracker::DropCallback(ASYNC_WAIT_CTX* address, Context& context) {
  auto [entry, end] = callbacks_.equal_range(context.callback);
  while (entry != end && entry->second != address) ++entry;
  if (entry != end) callbacks_.erase(entry);
  context.callback = {};
}

void Tracker::OnSetCallback(ASYNC_WAIT_CTX* context, ASYNC_callback_fn callback, void* argument,
                            bool watched) {
  const std::lock_guard lock(mutex_);
  Context* found = Find(context);
  if (found == nullptr) return;
  DropCallback(context, *found);
  found->callback_watched = watched;
  if (callback == nullptr) return;
  found->callback = {callback, argument};
  callbacks_.emplace(found->callback, context);
  freed_callbacks_.erase(found->callback);
}

void Tracker::OnSetStatus(ASYNC_WAIT_CTX* context, int status) {
  const std::lock_guard lock(mutex_);
  Context* found = Find(context);
  if (found == nullptr) return;
  found->status = status;
  found->expects_call = status == ASYNC_STATUS_OK;
}

// --- callbacks ---

void Tracker::OnCallback(ASYNC_callback_fn stand_in, void* argument) {
  Recorder::Get().Count(&Counts::callbacks);
  Findings findings;
  {
    const std::lock_guard lock(mutex_);
    const std::pair pair(stand_in, argument);
    const auto [begin, end] = callbacks_.equal_range(pair);
    for (auto entry = begin; entry != end; ++entry) {
      Context& context = *Find(entry->second);
      context.called_back = true;
      context.expects_call = false;
      // With several it is not known whose this is.
      if (std::next(begin) == end && (context.status == ASYNC_STATUS_UNSUPPORTED ||
                                      context.status_at_pause == ASYNC_STATUS_UNSUPPORTED)) {
        findings.push_back({Rule::kStatusNotSet, nullptr, nullptr});
      }
    }
    if (begin == end) {
      const auto freed = freed_callbacks_.find(pair);
      if (freed != freed_callbacks_.end()) {
        findings.push_back({Rule::kCallbackAfterFree, nullptr, freed->second});
      }
    }
  }
  Report(findings);
}

void Tracker::AfterCallback(ASYNC_callback_fn function, int64_t ns) {
  if (ns <= Recorder::Get().callback_bound_ns()) return;
  const CallStack* callback = Keep(CallStack::Of(reinterpret_cast<const void*>(function)));
  Report({{Rule::kCallbackBlocks, callback, nullptr, ns}});
}

}  // namespace waitctx::check
