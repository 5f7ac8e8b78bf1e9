#include "waitctx/check/tracked_contexts.h"

#include <algorithm>
#include <iterator>

#include "waitctx/check/recorder.h"
#include "waitctx/check/report_file.h"
#include "waitctx/check/rule.h"
#include "waitctx/check/wait_signal.h"

namespace waitctx::check {
namespace {

constexpr size_t kFreedCallbacksMax = 4096;

}  // namespace

TrackedContext& TrackedContexts::Add(ASYNC_WAIT_CTX* address) {
  TrackedContext& context = contexts_[address];
  context = {};
  context.number = next_number_++;
  return context;
}

TrackedContext* TrackedContexts::Find(ASYNC_WAIT_CTX* address) {
  const auto found = contexts_.find(address);
  return found == contexts_.end() ? nullptr : &found->second;
}

TrackedContext* TrackedContexts::Find(ASYNC_WAIT_CTX* address, uint64_t number) {
  TrackedContext* context = Find(address);
  return context != nullptr && context->number == number ? context : nullptr;
}

void TrackedContexts::OnFreed(ASYNC_WAIT_CTX* address) {
  TrackedContext* context = Find(address);
  if (context == nullptr || !context->being_freed) return;  // the address is a new context's
  context->being_freed = false;
  ForgetFds(*context);
  const Callback callback = context->callback;
  DropCallback(address, *context);
  if (callback.first == nullptr || callbacks_.count(callback) != 0) return;
  if (freed_callbacks_.size() >= kFreedCallbacksMax) freed_callbacks_.clear();
  freed_callbacks_[callback] = context->freed_at;
}

void TrackedContexts::ForgetJobs() {
  for (auto& [address, context] : contexts_) context.jobs = 0;
}

// --- wait fds ---

std::vector<TrackedWaitFd>::const_iterator TrackedContexts::Newest(const TrackedContext& context,
                                                                   const void* key) {
  const auto entry = std::find_if(context.fds.rbegin(), context.fds.rend(),
                                  [&](const TrackedWaitFd& fd) { return fd.key == key; });
  return entry == context.fds.rend() ? context.fds.end() : std::next(entry).base();
}

void TrackedContexts::SetWaitFd(TrackedContext& context, const void* key, int fd, bool cleaned_up,
                                const CallStack* here, BrokenRules& broken) {
  context.fds.push_back({key, fd, next_number_++, here, 0, cleaned_up});
  ++fd_entries_[fd];
  if (const auto left = cleared_fds_.OnSet(fd, here); left) {
    broken.push_back({Rule::kWaitFdLeftOpen, left->cleared_at, here, left->count});
  }
}

void TrackedContexts::CheckOpen(const TrackedContext& context, const void* key,
                                BrokenRules& broken) const {
  const auto entry = Newest(context, key);
  if (entry == context.fds.end() || entry->fd < 0) return;
  if (StateOf(entry->fd) != FdState::kClosed) return;
  broken.push_back({Rule::kWaitFdClosed, nullptr, entry->set_at, entry->fd});
}

void TrackedContexts::ClearWaitFd(TrackedContext& context, const void* key, const CallStack* here) {
  const auto entry = Newest(context, key);
  if (entry == context.fds.end()) return;
  --fd_entries_[entry->fd];
  if (entry->cleaned_up) cleared_fds_.OnCleared(entry->fd, entry->set_at, here);
  context.fds.erase(entry);
}

void TrackedContexts::ForgetFds(TrackedContext& context) {
  for (const TrackedWaitFd& entry : context.fds) --fd_entries_[entry.fd];
  context.fds.clear();
}

void TrackedContexts::CheckClosedFds(const TrackedContext& context, BrokenRules& broken) const {
  for (const TrackedWaitFd& entry : context.fds) {
    if (entry.fd >= 0 && StateOf(entry.fd) == FdState::kClosed) {
      broken.push_back({Rule::kWaitFdClosed, nullptr, entry.set_at, entry.fd});
    }
  }
}

// --- callbacks ---

void TrackedContexts::DropCallback(ASYNC_WAIT_CTX* address, TrackedContext& context) {
  auto [entry, end] = callbacks_.equal_range(context.callback);
  while (entry != end && entry->second != address) ++entry;
  if (entry != end) callbacks_.erase(entry);
  context.callback = {};
}

void TrackedContexts::SetCallback(ASYNC_WAIT_CTX* address, TrackedContext& context,
                                  ASYNC_callback_fn callback, void* argument, bool watched) {
  DropCallback(address, context);
  context.callback_watched = watched;
  if (callback == nullptr) return;
  context.callback = {callback, argument};
  callbacks_.emplace(context.callback, address);
  freed_callbacks_.erase(context.callback);
}

void TrackedContexts::OnCallback(ASYNC_callback_fn stand_in, void* argument, BrokenRules& broken) {
  const Callback callback(stand_in, argument);
  const auto [begin, end] = callbacks_.equal_range(callback);
  for (auto entry = begin; entry != end; ++entry) {
    TrackedContext& context = *Find(entry->second);
    context.called_back = true;
    context.expects_call = false;
    // If several contexts use the callback, the one that this call is for is unknown.
    if (std::next(begin) == end && (context.status == ASYNC_STATUS_UNSUPPORTED ||
                                    context.status_at_pause == ASYNC_STATUS_UNSUPPORTED)) {
      broken.push_back({Rule::kStatusNotSet, nullptr, nullptr});
    }
  }
  if (begin != end) return;
  if (const auto freed = freed_callbacks_.find(callback); freed != freed_callbacks_.end()) {
    broken.push_back({Rule::kCallbackAfterFree, nullptr, freed->second});
  }
}

// --- jobs ---

void TrackedContexts::CheckReadiness(TrackedContext& context, const CallStack* paused,
                                     BrokenRules& broken) const {
  CheckClosedFds(context, broken);
  bool ready = false;
  bool waits = false;
  for (TrackedWaitFd& entry : context.fds) {
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
  const bool has_callback = context.callback.first != nullptr;
  if (context.called_back || (has_callback && !context.callback_watched)) return;
  CheckFdsAsked(context, broken);
  if (!waits && !(has_callback && context.expects_call)) {
    Recorder::Get().Count(&Counts::polls);
  } else if (!ready) {
    broken.push_back({Rule::kBusyResume, nullptr, paused});
  }
}

void TrackedContexts::CheckFdsAsked(const TrackedContext& context, BrokenRules& broken) {
  const auto same = [](const TrackedWaitFd& entry, uint64_t number) {
    return entry.number == number;
  };
  if (std::equal(context.fds.begin(), context.fds.end(), context.told_fds.begin(),
                 context.told_fds.end(), same)) {
    return;
  }
  const CallStack* set_at = context.fds.empty() ? nullptr : context.fds.back().set_at;
  broken.push_back({Rule::kFdsNotAsked, nullptr, set_at});
}

void TrackedContexts::CheckSignalsRead(const TrackedContext& context, const CallStack* paused,
                                       BrokenRules& broken) const {
  for (const TrackedWaitFd& entry : context.fds) {
    const auto entries = fd_entries_.find(entry.fd);
    const bool shared = entries != fd_entries_.end() && entries->second > 1;
    if (shared || entry.signal_at_resume <= 0) continue;
    if (SignalOn(entry.fd) >= entry.signal_at_resume) {
      broken.push_back({Rule::kWaitFdNotRead, paused, entry.set_at, entry.fd});
    }
  }
}

}  // namespace waitctx::check
