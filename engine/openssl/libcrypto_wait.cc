#include "engine/openssl/libcrypto_wait.h"

#include <openssl/async.h>

#include <algorithm>
#include <span>
#include <vector>

namespace engine::openssl {

using waitctx::WaitContext;
using waitctx::WaitContextRef;

namespace {

// Links an ASYNC_WAIT_CTX to a WaitContext.
// Ownership: it is the data of a wait fd in the ASYNC_WAIT_CTX, and that fd's cleanup deletes it.
// Threads: one at a time, as libcrypto requires for the ASYNC_WAIT_CTX.
struct ContextLink {
  WaitContextRef context;
  int published_fd = -1;          // the wait fd in the ASYNC_WAIT_CTX; -1: none
  std::vector<PausedRun> paused;  // more than one when several jobs share the ASYNC_WAIT_CTX
};

ASYNC_WAIT_CTX* CurrentAsyncContext() { return ASYNC_get_wait_ctx(ASYNC_get_current_job()); }

// Null: no job has paused on `async_context` yet.
ContextLink* FindLink(ASYNC_WAIT_CTX* async_context, const void* key) {
  int fd = -1;
  void* data = nullptr;
  if (ASYNC_WAIT_CTX_get_fd(async_context, key, &fd, &data) != 1) return nullptr;
  return static_cast<ContextLink*>(data);
}

// The cleanup function: libcrypto frees its context, so the jobs that wait on it are never resumed.
void OnContextFreed(ASYNC_WAIT_CTX*, const void*, int, void* data) {
  auto* link = static_cast<ContextLink*>(data);
  for (const PausedRun& run : link->paused) run.GiveUp();
  link->context.CloseAndReset();
  delete link;
}

// Makes `fd` the wait fd in `async_context`. False: no memory.
bool PublishFd(ASYNC_WAIT_CTX* async_context, const void* key, ContextLink* link, int fd) {
  if (link->published_fd == fd) return true;
  if (link->published_fd >= 0) ASYNC_WAIT_CTX_clear_fd(async_context, key);
  if (ASYNC_WAIT_CTX_set_wait_fd(async_context, key, fd, link, &OnContextFreed) != 1) return false;
  link->published_fd = fd;
  return true;
}

// Publishes `fd` for `context` in `async_context`; makes the link if there is none. Null: no
// memory, and the run still owns `context`.
ContextLink* Link(ASYNC_WAIT_CTX* async_context, const void* key, WaitContext* context, int fd) {
  ContextLink* link = FindLink(async_context, key);
  if (link != nullptr && link->context.get() == context) {
    return PublishFd(async_context, key, link, fd) ? link : nullptr;
  }
  auto made = std::make_unique<ContextLink>();
  if (!PublishFd(async_context, key, made.get(), fd)) return nullptr;
  made->context = WaitContextRef::Adopt(context);
  return made.release();
}

}  // namespace

hwsim::Expected<std::unique_ptr<LibcryptoJobs>> LibcryptoJobs::Create() {
  auto never_readable = hwsim::EventFd::Create();
  if (!never_readable) return hwsim::Unexpected(never_readable.error());
  return std::unique_ptr<LibcryptoJobs>(new LibcryptoJobs(std::move(*never_readable)));
}

bool LibcryptoJobs::CanPause() const {
  return ASYNC_get_current_job() != nullptr && CurrentAsyncContext() != nullptr;
}

WaitContext* LibcryptoJobs::Context() const {
  if (!CanPause()) return nullptr;
  ASYNC_WAIT_CTX* const async_context = CurrentAsyncContext();
  const ContextLink* const link = FindLink(async_context, this);
  // The run owns a new context until a pause gives it to a link.
  WaitContext* const context =
      link != nullptr ? link->context.get() : WaitContext::Create().Release();
  WaitContext::Callback callback;
  if (ASYNC_WAIT_CTX_get_callback(async_context, &callback.function, &callback.argument) != 1) {
    callback = {};
  }
  const WaitContext::Callback known = context->callback();
  if (callback.function != known.function || callback.argument != known.argument) {
    context->SetCallback(callback);
  }
  return context;
}

bool LibcryptoJobs::Pause(const PausedRun& run) const {
  ASYNC_WAIT_CTX* const async_context = CurrentAsyncContext();
  WaitContext* const context = run.context();
  int fd = never_readable_.fd();
  if (context->wait_fd_count() == 1) {
    context->CopyWaitFds(std::span(&fd, 1));
  } else if (!context->callback()) {
    return false;  // no descriptor was left for a wait fd
  }
  ContextLink* const link = Link(async_context, this, context, fd);
  if (link == nullptr) return false;
  ASYNC_WAIT_CTX_set_status(async_context, context->status());
  link->paused.push_back(run);
  ASYNC_pause_job();
  // The job was resumed, or pausing is blocked. In both cases the context and its link still exist.
  std::erase(link->paused, run);
  return false;
}

void LibcryptoJobs::End(WaitContext* context) const {
  ASYNC_WAIT_CTX* const async_context = CurrentAsyncContext();
  ASYNC_WAIT_CTX_set_status(async_context, context->status());
  const ContextLink* const link = FindLink(async_context, this);
  if (link == nullptr || link->context.get() != context) {
    WaitContextRef::Adopt(context).CloseAndReset();
  }
}

}  // namespace engine::openssl
