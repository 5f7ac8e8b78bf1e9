#include "engine/openssl/libcrypto_wait.h"

#include <openssl/async.h>

#include <algorithm>
#include <vector>

namespace engine {

using waitctx::WaitContext;
using waitctx::WaitContextRef;

namespace {

// What stands for one ASYNC_WAIT_CTX. The data of its entry there, ended by the entry's cleanup.
// Threads: one at a time, as libcrypto wants it for the context itself.
struct StandIn {
  WaitContextRef context;
  int shown_fd = -1;               // the fd that libcrypto's context has of us
  std::vector<PausedRun> waiting;  // of jobs that are paused; more than one if jobs share a context
};

ASYNC_WAIT_CTX* TheirContext() { return ASYNC_get_wait_ctx(ASYNC_get_current_job()); }

StandIn* Find(ASYNC_WAIT_CTX* theirs, const void* key) {
  int fd = -1;
  void* data = nullptr;
  if (ASYNC_WAIT_CTX_get_fd(theirs, key, &fd, &data) != 1) return nullptr;
  return static_cast<StandIn*>(data);
}

// libcrypto frees its context. Jobs that wait on it will never be resumed.
void OnFreed(ASYNC_WAIT_CTX*, const void*, int, void* data) {
  auto* stand_in = static_cast<StandIn*>(data);
  for (const PausedRun& run : stand_in->waiting) run.GiveUp();
  stand_in->context.CloseAndReset();
  delete stand_in;
}

bool Show(ASYNC_WAIT_CTX* theirs, const void* key, StandIn* stand_in, int fd) {
  if (stand_in->shown_fd == fd) return true;
  if (stand_in->shown_fd >= 0) ASYNC_WAIT_CTX_clear_fd(theirs, key);
  if (ASYNC_WAIT_CTX_set_wait_fd(theirs, key, fd, stand_in, &OnFreed) != 1) return false;
  stand_in->shown_fd = fd;
  return true;
}

// Has `theirs` show `fd` for `context`, whose stand-in is made now if there is none. Null: no
// memory, and `context` is the run's as before.
StandIn* ShowStandIn(ASYNC_WAIT_CTX* theirs, const void* key, WaitContext* context, int fd) {
  StandIn* stand_in = Find(theirs, key);
  if (stand_in != nullptr && stand_in->context.get() == context) {
    return Show(theirs, key, stand_in, fd) ? stand_in : nullptr;
  }
  auto made = std::make_unique<StandIn>();
  if (!Show(theirs, key, made.get(), fd)) return nullptr;
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
  return ASYNC_get_current_job() != nullptr && TheirContext() != nullptr;
}

WaitContext* LibcryptoJobs::Context() const {
  if (!CanPause()) return nullptr;
  ASYNC_WAIT_CTX* const theirs = TheirContext();
  const StandIn* const stand_in = Find(theirs, this);
  // A new one is the run's, until a pause makes it a stand-in's.
  WaitContext* const context =
      stand_in != nullptr ? stand_in->context.get() : WaitContext::Create().Release();
  WaitContext::Callback callback;
  if (ASYNC_WAIT_CTX_get_callback(theirs, &callback.function, &callback.argument) != 1) {
    callback = {};
  }
  const WaitContext::Callback known = context->callback();
  if (callback.function != known.function || callback.argument != known.argument) {
    context->SetCallback(callback);
  }
  return context;
}

bool LibcryptoJobs::Pause(const PausedRun& run) const {
  ASYNC_WAIT_CTX* const theirs = TheirContext();
  WaitContext* const context = run.context();
  int fd = never_readable_.fd();
  if (context->wait_fd_count() == 1) {
    context->CopyWaitFds(std::span(&fd, 1));
  } else if (!context->callback()) {
    return false;  // no descriptor was left
  }
  StandIn* const stand_in = ShowStandIn(theirs, this, context, fd);
  if (stand_in == nullptr) return false;
  ASYNC_WAIT_CTX_set_status(theirs, context->status());
  stand_in->waiting.push_back(run);
  ASYNC_pause_job();
  // Resumed, or never paused: the context is there, and the stand-in with it.
  std::erase(stand_in->waiting, run);
  return false;
}

void LibcryptoJobs::End(WaitContext* context) const {
  ASYNC_WAIT_CTX* const theirs = TheirContext();
  ASYNC_WAIT_CTX_set_status(theirs, context->status());
  const StandIn* const stand_in = Find(theirs, this);
  if (stand_in == nullptr || stand_in->context.get() != context) {
    WaitContextRef::Adopt(context).CloseAndReset();
  }
}

}  // namespace engine
