// TlsServer: a TLS server with an event loop on one thread, built as web servers are: nonblocking
// sockets, epoll and SSL_MODE_ASYNC. A handshake whose cryptography runs on a card pauses and
// leaves the thread free. A wait fd or a callback tells the server when to resume a paused
// connection. A connection consists of a handshake, an optional echo, the server's close_notify and
// the client's disconnect.
//
// Threads: Run on one thread, the server's; Stop on any. The process must ignore SIGPIPE.
// Ownership: the server owns sockets and SSL objects. When a client disconnects while its
// connection is paused, the server resumes the connection until its job ends, and frees it then:
// libssl leaks the job of an SSL object that is freed earlier (free_at_once does that).
#ifndef GHOSTCARD_TOOLS_TLS_TLS_SERVER_H_
#define GHOSTCARD_TOOLS_TLS_TLS_SERVER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hwsim/base/clock.h"
#include "hwsim/base/enum_names.h"
#include "hwsim/base/error.h"
#include "tools/tls/tls_identity.h"

namespace tools::tls {

enum class TlsVersion : uint8_t { k12, k13 };

// How the server learns that it can resume a paused connection; kNone: connections do not pause (no
// SSL_MODE_ASYNC).
enum class TlsNotify : uint8_t { kNone, kFd, kCallback };

}  // namespace tools::tls

template <>
inline constexpr auto hwsim::kNamesOf<tools::tls::TlsVersion> =
    std::to_array<hwsim::EnumName<tools::tls::TlsVersion>>({
        {tools::tls::TlsVersion::k12, "1.2"},
        {tools::tls::TlsVersion::k13, "1.3"},
    });
template <>
inline constexpr auto hwsim::kNamesOf<tools::tls::TlsNotify> =
    std::to_array<hwsim::EnumName<tools::tls::TlsNotify>>({
        {tools::tls::TlsNotify::kNone, "none"},
        {tools::tls::TlsNotify::kFd, "fd"},
        {tools::tls::TlsNotify::kCallback, "callback"},
    });

namespace tools::tls {

constexpr std::string_view TlsVersionName(TlsVersion version) {
  return hwsim::EnumNames<TlsVersion>::NameOf(version);
}
constexpr std::string_view TlsNotifyName(TlsNotify notify) {
  return hwsim::EnumNames<TlsNotify>::NameOf(notify);
}

struct TlsServerOptions {
  OSSL_LIB_CTX* library = nullptr;  // whose providers do the cryptography; null: the process's
  std::string properties;           // property query for algorithms, as "?provider=ghostcard"
  TlsVersion version = TlsVersion::k13;
  TlsIdentity identity;
  std::optional<TlsIdentity> client;  // the certificate that clients must present; none: not asked
  TlsNotify notify = TlsNotify::kNone;
  bool edge_triggered = false;     // whether epoll watches wait fds edge-triggered
  bool free_at_once = false;       // SSL_free a paused connection when its client disconnects
  uint32_t connections_max = 256;  // open at a time; more wait in the listen queue
  uint32_t echo_bytes = 0;         // read from the client and written back after the handshake
  uint32_t tickets = 0;            // sessions offered for resumption
  std::function<void()>
      poll_card;  // called on each turn while a connection is paused; may be empty
};

class TlsServer {
 public:
  // Listens on a port of 127.0.0.1 that the kernel chooses. Fails with the message of libssl or of
  // the kernel.
  static hwsim::Expected<std::unique_ptr<TlsServer>> Create(TlsServerOptions options);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  uint16_t port() const;

  // Serves until Stop was called and no connection is left. Fails when a system call or libssl
  // refuses what the server needs to go on: error_number is EMFILE when no descriptor was left. The
  // listening socket and all connections are closed then; the caller stops the clients.
  hwsim::Expected<void> Run();
  void Stop();

  struct Counts {
    uint64_t accepted = 0;
    uint64_t handshakes = 0;       // completed
    uint64_t resumed = 0;          // completed handshakes that resumed an earlier session
    uint64_t failed = 0;           // handshakes that the client aborted or that went wrong
    uint64_t freed_in_flight = 0;  // SSL_free while paused
    uint64_t pauses = 0;           // SSL_ERROR_WANT_ASYNC
    uint64_t again = 0;            // pauses because the card was full: ASYNC_STATUS_EAGAIN
    uint64_t jobs_short = 0;       // SSL_ERROR_WANT_ASYNC_JOB
    std::string first_failure;     // of a connection whose client had not disconnected
    uint64_t unexpected = 0;       // failures while the client had not disconnected
    hwsim::Duration cpu{};         // of the server's thread
  };
  // After Run.
  const Counts& counts() const;

 private:
  class Impl;
  explicit TlsServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace tools::tls

#endif  // GHOSTCARD_TOOLS_TLS_TLS_SERVER_H_
