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
  WaitContextRef context = WaitContext::Create();
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
  StandIn* stand_in = Find(theirs, this);
  if (stand_in == nullptr) {
    stand_in = new StandIn;
    if (!Show(theirs, this, stand_in, never_readable_.fd())) {
      stand_in->context.CloseAndReset();
      delete stand_in;
      return nullptr;  // out of memory: resumed by trial
    }
  }
  WaitContext::Callback callback;
  if (ASYNC_WAIT_CTX_get_callback(theirs, &callback.function, &callback.argument) != 1) {
    callback = {};
  }
  const WaitContext::Callback known = stand_in->context->callback();
  if (callback.function != known.function || callback.argument != known.argument) {
    stand_in->context->SetCallback(callback);
  }
  return stand_in->context.get();
}

bool LibcryptoJobs::Pause(const PausedRun& run) const {
  ASYNC_WAIT_CTX* const theirs = TheirContext();
  StandIn* const stand_in = Find(theirs, this);
  if (stand_in != nullptr) {
    if (int fd = -1; stand_in->context->wait_fd_count() == 1) {
      stand_in->context->CopyWaitFds(std::span(&fd, 1));
      Show(theirs, this, stand_in, fd);
    }
    ASYNC_WAIT_CTX_set_status(theirs, stand_in->context->status());
    stand_in->waiting.push_back(run);
  }
  ASYNC_pause_job();
  // Resumed, or never paused: the context is there, and the stand-in with it.
  if (stand_in != nullptr) std::erase(stand_in->waiting, run);
  return false;
}

void LibcryptoJobs::PublishStatus() const {
  if (!CanPause()) return;
  ASYNC_WAIT_CTX* const theirs = TheirContext();
  if (const StandIn* stand_in = Find(theirs, this)) {
    ASYNC_WAIT_CTX_set_status(theirs, stand_in->context->status());
  }
}

}  // namespace engine
