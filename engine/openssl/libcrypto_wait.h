// LibcryptoJobs: lets the engine run in libcrypto's own jobs, the ASYNC_JOBs of SSL_MODE_ASYNC.
//
// Each ASYNC_WAIT_CTX on which a job has paused is linked to a WaitContext of ours. Before each
// run, the job's thread copies the callback from libcrypto's context to ours; the wait fd and the
// status are copied from ours to libcrypto's. libcrypto's context stores the link as the data of a
// wait fd. The cleanup function of that fd, which libcrypto calls when it frees the context, closes
// our WaitContext. A completion thread uses our WaitContext only, and never a libcrypto object.
//
// libcrypto's context gets an fd when a job pauses, not earlier: an application such as HAProxy
// expects that SSL_ERROR_WANT_ASYNC has announced each fd in the context. A run that ends without
// a pause leaves libcrypto's context without an fd.
//
// A context with a callback needs no wait fd of its own. It then gets an fd that all such contexts
// share and that never becomes readable, so that libcrypto still calls the cleanup function.
//
// A context may be freed while its job waits, for example by SSL_free during a handshake.
// libcrypto leaks that job. The operation is given up and ends with its completion.
//
// Limits: libcrypto does not tell whether pausing is blocked (ASYNC_block_pause); then
// ASYNC_pause_job() returns at once. In this case the operation waits in place and polls for
// completions. It does so too when the job cannot be notified because no descriptor or no memory
// is left.
//
// Threads: as JobBinding. Requires: this code stays loaded while a context may be freed.
#ifndef GHOSTCARD_ENGINE_OPENSSL_LIBCRYPTO_WAIT_H_
#define GHOSTCARD_ENGINE_OPENSSL_LIBCRYPTO_WAIT_H_

#include <memory>
#include <utility>

#include "engine/job_binding.h"
#include "hwsim/base/error.h"
#include "hwsim/base/fd.h"

namespace engine::openssl {

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

}  // namespace engine::openssl

#endif  // GHOSTCARD_ENGINE_OPENSSL_LIBCRYPTO_WAIT_H_
