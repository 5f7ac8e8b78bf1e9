// OpenSSL's names for the wait layer: the functions of <openssl/async.h>, with C linkage.
//
// An ASYNC_WAIT_CTX is a WaitContext; ASYNC_JOB is only another name for Job. This file adds what
// OpenSSL does and C++ callers do not need: the default library context that follows a job, and
// reasons on OpenSSL's error queue. It reaches libcrypto through weak symbols, so it works in a
// process without libcrypto too.
//
// Threads: as <openssl/async.h> says. No state of its own.
#include <new>
#include <span>

#include "waitctx/fibres/job_slot.h"
#include "waitctx/fibres/job_stacks.h"
#include "waitctx/fibres/return_by_jump.h"
#include "waitctx/include/openssl/async.h"
#include "waitctx/job.h"
#include "waitctx/thread_jobs.h"
#include "waitctx/wait_context.h"

extern "C" {

struct ossl_lib_ctx_st;
[[gnu::weak]] ossl_lib_ctx_st* OSSL_LIB_CTX_set0_default(ossl_lib_ctx_st* libctx);
[[gnu::weak]] void ERR_new(void);
[[gnu::weak]] void ERR_set_debug(const char* file, int line, const char* func);
[[gnu::weak]] void ERR_set_error(int lib, int reason, const char* fmt, ...);

}  // extern "C"

namespace {

using waitctx::Job;
using waitctx::JobStatus;
using waitctx::WaitContext;
using waitctx::WaitContextRef;
using waitctx::fibres::JobSlot;
using waitctx::internal::ThreadJobs;

WaitContext* Unwrap(ASYNC_WAIT_CTX* ctx) { return static_cast<WaitContext*>(ctx); }

// Values of <openssl/err.h> and <openssl/asyncerr.h>, which may not be installed.
constexpr int kLibAsync = 51;
constexpr int kReasonFailedToSwapContext = 102;
constexpr int kReasonInvalidPoolSize = 103;

[[gnu::cold]] void RaiseError(int reason, const char* function) {
  if (ERR_new == nullptr || ERR_set_debug == nullptr || ERR_set_error == nullptr) return;
  ERR_new();
  ERR_set_debug(__FILE__, 0, function);
  ERR_set_error(kLibAsync, reason, "%s", waitctx::LastJobError());
}

[[gnu::cold]] int RefuseJob() {
  RaiseError(kReasonFailedToSwapContext, "ASYNC_start_job");
  return ASYNC_ERR;
}

// Exchanges the thread's default library context around a run of a job: sets the job's before,
// keeps it and restores the caller's after. Sets only if they differ, since reading costs half as
// much.
class LibraryContextSwap {
 public:
  explicit LibraryContextSwap(void* of_job) {
    if (OSSL_LIB_CTX_set0_default == nullptr) return;
    outside_ = OSSL_LIB_CTX_set0_default(nullptr);
    if (of_job != nullptr && of_job != outside_) {
      OSSL_LIB_CTX_set0_default(static_cast<ossl_lib_ctx_st*>(of_job));
    }
  }
  // Restores the caller's, and returns the one that the job left.
  void* SwapBack() {
    if (OSSL_LIB_CTX_set0_default == nullptr) return nullptr;
    ossl_lib_ctx_st* of_job = OSSL_LIB_CTX_set0_default(nullptr);
    if (of_job != outside_) OSSL_LIB_CTX_set0_default(outside_);
    return of_job;
  }

 private:
  ossl_lib_ctx_st* outside_ = nullptr;
};

}  // namespace

extern "C" {

ASYNC_WAIT_CTX* ASYNC_WAIT_CTX_new(void) {
  try {
    return WaitContext::Create().Release();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void ASYNC_WAIT_CTX_free(ASYNC_WAIT_CTX* ctx) {
  waitctx::HoldWaitContext(Unwrap(ctx));  // for a job that frees its own context
  WaitContextRef::Adopt(Unwrap(ctx)).CloseAndReset();
}

int ASYNC_WAIT_CTX_set_wait_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD fd,
                               void* custom_data,
                               void (*cleanup)(ASYNC_WAIT_CTX*, const void*, OSSL_ASYNC_FD,
                                               void*)) {
  if (ctx == nullptr) return 0;
  return Unwrap(ctx)->SetWaitFd(key, fd, custom_data, cleanup);
}

int ASYNC_WAIT_CTX_get_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD* fd,
                          void** custom_data) {
  if (ctx == nullptr || fd == nullptr || custom_data == nullptr) return 0;
  const auto found = Unwrap(ctx)->GetWaitFd(key);
  if (!found) return 0;
  *fd = found->fd;
  *custom_data = found->data;
  return 1;
}

int ASYNC_WAIT_CTX_get_all_fds(ASYNC_WAIT_CTX* ctx, OSSL_ASYNC_FD* fd, size_t* numfds) {
  if (ctx == nullptr || numfds == nullptr) return 0;
  const WaitContext& context = *Unwrap(ctx);
  *numfds = context.wait_fd_count();
  if (fd != nullptr) context.CopyWaitFds({fd, *numfds});
  return 1;
}

int ASYNC_WAIT_CTX_get_changed_fds(ASYNC_WAIT_CTX* ctx, OSSL_ASYNC_FD* addfd, size_t* numaddfds,
                                   OSSL_ASYNC_FD* delfd, size_t* numdelfds) {
  if (ctx == nullptr || numaddfds == nullptr || numdelfds == nullptr) return 0;
  const WaitContext& context = *Unwrap(ctx);
  const WaitContext::ChangeCounts counts = context.changed_fd_counts();
  *numaddfds = counts.added;
  *numdelfds = counts.removed;
  if (addfd == nullptr && delfd == nullptr) return 1;
  context.CopyChangedFds({addfd, addfd == nullptr ? 0 : counts.added},
                         {delfd, delfd == nullptr ? 0 : counts.removed});
  return 1;
}

int ASYNC_WAIT_CTX_clear_fd(ASYNC_WAIT_CTX* ctx, const void* key) {
  return ctx != nullptr && Unwrap(ctx)->ClearWaitFd(key);
}

int ASYNC_WAIT_CTX_set_callback(ASYNC_WAIT_CTX* ctx, ASYNC_callback_fn callback,
                                void* callback_arg) {
  if (ctx == nullptr) return 0;
  Unwrap(ctx)->SetCallback({callback, callback_arg});
  return 1;
}

int ASYNC_WAIT_CTX_get_callback(ASYNC_WAIT_CTX* ctx, ASYNC_callback_fn* callback,
                                void** callback_arg) {
  if (ctx == nullptr || callback == nullptr || callback_arg == nullptr) return 0;
  const WaitContext::Callback found = Unwrap(ctx)->callback();
  if (!found) return 0;
  *callback = found.function;
  *callback_arg = found.argument;
  return 1;
}

int ASYNC_WAIT_CTX_set_status(ASYNC_WAIT_CTX* ctx, int status) {
  if (ctx == nullptr) return 0;
  Unwrap(ctx)->set_status(status);
  return 1;
}

int ASYNC_WAIT_CTX_get_status(ASYNC_WAIT_CTX* ctx) {
  return ctx == nullptr ? ASYNC_STATUS_UNSUPPORTED : Unwrap(ctx)->status();
}

GHOSTCARD_RETURN_BY_JUMP int ASYNC_start_job(ASYNC_JOB** job, ASYNC_WAIT_CTX* ctx, int* ret,
                                             int (*func)(void*), void* args, size_t size) try {
  if (job == nullptr || ret == nullptr) return ASYNC_ERR;
  Job* handle = reinterpret_cast<Job*>(*job);
  JobStatus status;
  if (handle == nullptr) {
    LibraryContextSwap library(nullptr);
    const auto* bytes = static_cast<const std::byte*>(args);
    status = ThreadJobs::Get().Start(handle, Unwrap(ctx), *ret, func,
                                     {bytes, args == nullptr ? 0 : size});
    void* of_job = library.SwapBack();
    if (status == JobStatus::kPaused) JobSlot::Of(handle)->KeepLibraryContext(of_job);
  } else {
    // Read before it is known whether this thread owns the job. If not, nothing uses it.
    JobSlot* slot = JobSlot::Of(handle);
    LibraryContextSwap library(slot->library_context.load(std::memory_order_relaxed));
    status = ThreadJobs::Get().Resume(handle, *ret);
    void* of_job = library.SwapBack();
    if (status == JobStatus::kPaused) slot->KeepLibraryContext(of_job);
  }
  if (status == JobStatus::kError) return RefuseJob();
  *job = reinterpret_cast<ASYNC_JOB*>(handle);
  return static_cast<int>(status);
} catch (const std::bad_alloc&) {
  return ASYNC_ERR;
}

GHOSTCARD_RETURN_BY_JUMP int ASYNC_pause_job(void) {
  ThreadJobs* jobs = ThreadJobs::GetIfAny();
  if (jobs != nullptr && jobs->CanPause()) jobs->Pause();
  return 1;
}

ASYNC_JOB* ASYNC_get_current_job(void) {
  return reinterpret_cast<ASYNC_JOB*>(waitctx::CurrentJob());
}

ASYNC_WAIT_CTX* ASYNC_get_wait_ctx(ASYNC_JOB* job) {
  return waitctx::JobWaitContext(reinterpret_cast<const Job*>(job));
}

void ASYNC_block_pause(void) { waitctx::BlockPause(); }

void ASYNC_unblock_pause(void) { waitctx::UnblockPause(); }

int ASYNC_init_thread(size_t max_size, size_t init_size) try {
  if (waitctx::InitThread(max_size, init_size)) return 1;
  RaiseError(kReasonInvalidPoolSize, "ASYNC_init_thread");
  return 0;
} catch (const std::bad_alloc&) {
  return 0;
}

void ASYNC_cleanup_thread(void) { waitctx::CleanupThread(); }

int ASYNC_is_capable(void) { return 1; }

int ASYNC_set_mem_functions(ASYNC_stack_alloc_fn alloc_fn, ASYNC_stack_free_fn free_fn) {
  return waitctx::fibres::SetStackFunctions(alloc_fn, free_fn);
}

void ASYNC_get_mem_functions(ASYNC_stack_alloc_fn* alloc_fn, ASYNC_stack_free_fn* free_fn) {
  ASYNC_stack_alloc_fn alloc;
  ASYNC_stack_free_fn free;
  waitctx::fibres::GetStackFunctions(alloc, free);
  if (alloc_fn != nullptr) *alloc_fn = alloc;
  if (free_fn != nullptr) *free_fn = free;
}

}  // extern "C"
