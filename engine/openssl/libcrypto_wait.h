// LibcryptoJobs: the engine in jobs of libcrypto's own, the ASYNC_JOBs of SSL_MODE_ASYNC.
//
// Each ASYNC_WAIT_CTX on which a job has paused is stood for by a WaitContext of ours. It takes
// over the callback before each run, in the job's thread; its wait fd and its status go the other
// way. libcrypto's context keeps it as the data of a wait fd, whose cleanup function, which
// libcrypto calls when it frees the context, closes it. A completion thread sees ours only, and
// never touches an object of libcrypto's.
//
// libcrypto's context gets an fd when a job pauses, not before: applications (HAProxy) take it that
// each fd that they find there is one that SSL_ERROR_WANT_ASYNC told them of. A run that ends
// without a pause leaves no trace.
//
// With a callback no fd of the context's own is needed. What libcrypto is given then is one fd
// for all, never readable, so that the cleanup function is called all the same.
//
// A context may be freed while its job waits (SSL_free in the middle of a handshake). libcrypto
// leaks that job; the operation is given up, and ends with its completion.
//
// Limits: libcrypto does not say whether pausing is blocked: ASYNC_pause_job() just returns. The
// operation then waits in place, looking for completions. So it does where nobody could be told,
// because no descriptor or no memory is left.
//
// Threads: as JobBinding. The code stays loaded for as long as a context may be freed.
#ifndef GHOSTCARD_ENGINE_OPENSSL_LIBCRYPTO_WAIT_H_
#define GHOSTCARD_ENGINE_OPENSSL_LIBCRYPTO_WAIT_H_

#include <memory>

#include "engine/job_binding.h"
#include "hwsim/error.h"
#include "hwsim/fd.h"

namespace engine {

class LibcryptoJobs final : public JobBinding {
 public:
  // Errors: no descriptor left.
  static hwsim::Expected<std::unique_ptr<LibcryptoJobs>> Create();

  bool CanPause() const override;
  waitctx::WaitContext* Context() const override;
  bool Pause(const PausedRun& run) const override;
  void End(waitctx::WaitContext* context) const override;

 private:
  explicit LibcryptoJobs(hwsim::EventFd never_readable)
      : never_readable_(std::move(never_readable)) {}

  const hwsim::EventFd never_readable_;
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_LIBCRYPTO_WAIT_H_
