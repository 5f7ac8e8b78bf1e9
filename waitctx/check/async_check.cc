// The checking library, which `ghostcard check` preloads: OpenSSL's names for the wait layer, with
// a check of each call.
//
// Each function tells the Tracker of the call, and lets the wait layer do it as the ordinary
// library does. Two things differ: ASYNC_WAIT_CTX_get_callback returns a stand-in that calls the
// program's callback, and a freed context is refused instead of used.
//
// Threads: as <openssl/async.h> says. State: the Tracker's and the Recorder's, one for the process;
// per thread, the ASYNC_start_job under way.
#include <pthread.h>
#include <unistd.h>

#include "waitctx/base/tls.h"
#include "waitctx/check/call_stack.h"
#include "waitctx/check/callbacks.h"
#include "waitctx/check/plain.h"
#include "waitctx/check/recorder.h"
#include "waitctx/check/rule.h"
#include "waitctx/check/tracked_jobs.h"
#include "waitctx/check/tracker.h"
#include "waitctx/include/openssl/async.h"

namespace waitctx::check {

constinit GHOSTCARD_TLS Run* t_run = nullptr;

namespace {

void Report(Rule rule) { Recorder::Get().Report(rule, CallStack::Here(), nullptr); }

// Whether the wait layer may do a call on `context`. False: the rule that the call breaks is
// reported.
bool Usable(ASYNC_WAIT_CTX* context) {
  if (context == nullptr) {
    Report(Rule::kNullArgument);
    return false;
  }
  return Tracker::Get().CheckUsable(context);
}

// As above, for a call with a pointer that must not be null.
bool Usable(ASYNC_WAIT_CTX* context, const void* out) {
  if (context != nullptr && out == nullptr) {
    Report(Rule::kNullArgument);
    return false;
  }
  return Usable(context);
}

// Tells the Tracker of the end of each thread except the main one, whose jobs are checked when the
// process exits.
struct ThreadWatch {
  ~ThreadWatch() {
    if (gettid() != getpid()) Tracker::Get().OnThreadExit();
  }
};

void WatchThread() {
  thread_local ThreadWatch watch;
  [[maybe_unused]] ThreadWatch* volatile use = &watch;  // constructs it
}

// The callback depth and the run under way belong to a stack: restored after each switch.
class StackState {
 public:
  StackState() : depth_(CallbackDepth()), run_(t_run) {}
  ~StackState() {
    SetCallbackDepth(depth_);
    t_run = run_;
  }
  StackState(const StackState&) = delete;
  StackState& operator=(const StackState&) = delete;

 private:
  const int depth_;
  Run* const run_;
};

int Start(ASYNC_JOB** job, ASYNC_WAIT_CTX* context, int* ret, int (*function)(void*), void* args,
          size_t size) {
  Tracker& tracker = Tracker::Get();
  Run run;
  if (*job != nullptr) {
    if (!tracker.BeforeResume(*job, run)) return ASYNC_ERR;
  } else {
    if (context == nullptr || function == nullptr) Report(Rule::kNullArgument);
    if (context != nullptr && !tracker.CheckUsable(context)) return ASYNC_ERR;
    run.context = context;
    run.started = Keep(CallStack::Here());
    tracker.BeforeStart(run);
  }
  int status;
  {
    const StackState state;
    SetCallbackDepth(0);
    t_run = &run;
    status = Plain_ASYNC_start_job(job, context, ret, function, args, size);
  }
  if (status == ASYNC_FINISH) tracker.OnFinish(run);
  if (status == ASYNC_ERR || status == ASYNC_NO_JOBS) tracker.OnRefused(run);
  return status;
}

void BeforeFork() {
  Tracker::Get().BeforeFork();
  Recorder::Get().Lock();
  LockStandIns();
  LockKeptStacks();
}

void AfterForkInParent() {
  UnlockKeptStacks();
  UnlockStandIns();
  Recorder::Get().Unlock();
  Tracker::Get().AfterForkInParent();
}

void AfterForkInChild() {
  UnlockKeptStacks();
  UnlockStandIns();
  Recorder::Get().Unlock();
  Recorder::Get().BeginProcess();
  Tracker::Get().AfterForkInChild();
}

[[gnu::constructor]] void Begin() {
  CallStack::Here();  // loads the unwinder's library before a job's small stack is in use
  Recorder::Get().BeginProcess();
  pthread_atfork(&BeforeFork, &AfterForkInParent, &AfterForkInChild);
}

[[gnu::destructor]] void End() {
  Tracker::Get().OnProcessExit();
  Recorder::Get().EndProcess();
}

}  // namespace
}  // namespace waitctx::check

using waitctx::check::Report;
using waitctx::check::Rule;
using waitctx::check::t_run;
using waitctx::check::Tracker;
using waitctx::check::Usable;

extern "C" {

ASYNC_WAIT_CTX* ASYNC_WAIT_CTX_new(void) {
  ASYNC_WAIT_CTX* context = Plain_ASYNC_WAIT_CTX_new();
  if (context != nullptr) Tracker::Get().OnNew(context);
  return context;
}

void ASYNC_WAIT_CTX_free(ASYNC_WAIT_CTX* ctx) {
  if (ctx == nullptr || !Tracker::Get().OnFree(ctx)) return;
  Plain_ASYNC_WAIT_CTX_free(ctx);
  Tracker::Get().OnFreed(ctx);
}

int ASYNC_WAIT_CTX_set_wait_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD fd,
                               void* custom_data,
                               void (*cleanup)(ASYNC_WAIT_CTX*, const void*, OSSL_ASYNC_FD,
                                               void*)) {
  if (!Usable(ctx)) return 0;
  const int set = Plain_ASYNC_WAIT_CTX_set_wait_fd(ctx, key, fd, custom_data, cleanup);
  if (set == 1) Tracker::Get().OnSetWaitFd(ctx, key, fd, cleanup != nullptr);
  return set;
}

int ASYNC_WAIT_CTX_get_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD* fd,
                          void** custom_data) {
  if (!Usable(ctx, fd == nullptr || custom_data == nullptr ? nullptr : fd)) return 0;
  return Plain_ASYNC_WAIT_CTX_get_fd(ctx, key, fd, custom_data);
}

int ASYNC_WAIT_CTX_get_all_fds(ASYNC_WAIT_CTX* ctx, OSSL_ASYNC_FD* fd, size_t* numfds) {
  if (!Usable(ctx, numfds)) return 0;
  const int got = Plain_ASYNC_WAIT_CTX_get_all_fds(ctx, fd, numfds);
  if (got == 1 && (fd != nullptr || *numfds == 0)) Tracker::Get().OnFdsTold(ctx);
  return got;
}

int ASYNC_WAIT_CTX_get_changed_fds(ASYNC_WAIT_CTX* ctx, OSSL_ASYNC_FD* addfd, size_t* numaddfds,
                                   OSSL_ASYNC_FD* delfd, size_t* numdelfds) {
  if (!Usable(ctx, numaddfds == nullptr ? nullptr : numdelfds)) return 0;
  const int got = Plain_ASYNC_WAIT_CTX_get_changed_fds(ctx, addfd, numaddfds, delfd, numdelfds);
  if (got == 1 && (addfd != nullptr || *numaddfds == 0)) Tracker::Get().OnFdsTold(ctx);
  return got;
}

int ASYNC_WAIT_CTX_clear_fd(ASYNC_WAIT_CTX* ctx, const void* key) {
  if (!Usable(ctx)) return 0;
  Tracker::Get().BeforeClearFd(ctx, key);
  const int cleared = Plain_ASYNC_WAIT_CTX_clear_fd(ctx, key);
  if (cleared == 1) Tracker::Get().OnClearFd(ctx, key);
  return cleared;
}

int ASYNC_WAIT_CTX_set_callback(ASYNC_WAIT_CTX* ctx, ASYNC_callback_fn callback,
                                void* callback_arg) {
  if (ctx == nullptr) return 0;  // as OpenSSL does
  if (!Usable(ctx)) return 0;
  static constexpr waitctx::check::CallbackWatcher kWatcher = {
      [](ASYNC_callback_fn stand_in, void* argument) {
        Tracker::Get().OnCallback(stand_in, argument);
      },
      [](ASYNC_callback_fn function, int64_t ns) { Tracker::Get().AfterCallback(function, ns); }};
  ASYNC_callback_fn stand_in =
      callback == nullptr ? nullptr : waitctx::check::StandInFor(callback, kWatcher);
  const bool watched = stand_in != nullptr;
  if (!watched) stand_in = callback;
  // Before the call below, since the callback may run as soon as it is set.
  Tracker::Get().OnSetCallback(ctx, stand_in, callback_arg, watched);
  return Plain_ASYNC_WAIT_CTX_set_callback(ctx, stand_in, callback_arg);
}

int ASYNC_WAIT_CTX_get_callback(ASYNC_WAIT_CTX* ctx, ASYNC_callback_fn* callback,
                                void** callback_arg) {
  if (!Usable(ctx, callback == nullptr || callback_arg == nullptr ? nullptr : ctx)) return 0;
  return Plain_ASYNC_WAIT_CTX_get_callback(ctx, callback, callback_arg);
}

int ASYNC_WAIT_CTX_set_status(ASYNC_WAIT_CTX* ctx, int status) {
  if (!Usable(ctx)) return 0;
  Tracker::Get().OnSetStatus(ctx, status);
  return Plain_ASYNC_WAIT_CTX_set_status(ctx, status);
}

int ASYNC_WAIT_CTX_get_status(ASYNC_WAIT_CTX* ctx) {
  return Usable(ctx) ? Plain_ASYNC_WAIT_CTX_get_status(ctx) : ASYNC_STATUS_UNSUPPORTED;
}

int ASYNC_start_job(ASYNC_JOB** job, ASYNC_WAIT_CTX* ctx, int* ret, int (*func)(void*), void* args,
                    size_t size) {
  if (job == nullptr || ret == nullptr) {
    Report(Rule::kNullArgument);
    return ASYNC_ERR;
  }
  waitctx::check::WatchThread();
  if (Plain_ASYNC_get_current_job() != nullptr) {
    Report(Rule::kNestedStart);
    return Plain_ASYNC_start_job(job, ctx, ret, func, args, size);  // refuses the call
  }
  if (waitctx::check::CallbackDepth() > 0) Report(Rule::kCallbackResumes);
  return waitctx::check::Start(job, ctx, ret, func, args, size);
}

int ASYNC_pause_job(void) {
  ASYNC_JOB* job = Plain_ASYNC_get_current_job();
  if (job != nullptr && t_run != nullptr) Tracker::Get().OnPause(job, *t_run);
  // Another stack runs on this thread until this job is resumed, by another ASYNC_start_job.
  const int depth = waitctx::check::CallbackDepth();
  const int paused = Plain_ASYNC_pause_job();
  waitctx::check::SetCallbackDepth(depth);
  return paused;
}

ASYNC_JOB* ASYNC_get_current_job(void) { return Plain_ASYNC_get_current_job(); }

ASYNC_WAIT_CTX* ASYNC_get_wait_ctx(ASYNC_JOB* job) { return Plain_ASYNC_get_wait_ctx(job); }

void ASYNC_block_pause(void) {
  ASYNC_JOB* job = Plain_ASYNC_get_current_job();
  if (job != nullptr && t_run != nullptr) Tracker::Get().OnBlock(job, *t_run);
  Plain_ASYNC_block_pause();
}

void ASYNC_unblock_pause(void) {
  ASYNC_JOB* job = Plain_ASYNC_get_current_job();
  if (job != nullptr) Tracker::Get().OnUnblock(job);
  Plain_ASYNC_unblock_pause();
}

int ASYNC_init_thread(size_t max_size, size_t init_size) {
  return Plain_ASYNC_init_thread(max_size, init_size);
}

void ASYNC_cleanup_thread(void) {
  Tracker::Get().OnCleanupThread();
  Plain_ASYNC_cleanup_thread();
}

int ASYNC_is_capable(void) { return Plain_ASYNC_is_capable(); }

int ASYNC_set_mem_functions(ASYNC_stack_alloc_fn alloc_fn, ASYNC_stack_free_fn free_fn) {
  return Plain_ASYNC_set_mem_functions(alloc_fn, free_fn);
}

void ASYNC_get_mem_functions(ASYNC_stack_alloc_fn* alloc_fn, ASYNC_stack_free_fn* free_fn) {
  Plain_ASYNC_get_mem_functions(alloc_fn, free_fn);
}

}  // extern "C"
