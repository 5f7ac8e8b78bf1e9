// TlsServer: an event-loop TLS server on one thread, as web servers have them: nonblocking
// sockets, epoll, and SSL_MODE_ASYNC, so that a handshake whose cryptography is on a card waits
// without keeping the thread. What a paused connection waits for is told by its wait fd or by its
// callback. One connection: handshake, an echo if asked for, the server's close_notify, the
// client's hanging up.
//
// Threads: Run on one thread, the server's; Stop from any. SIGPIPE is to be ignored in the process.
// Ownership: sockets and SSL objects are the server's. A connection whose peer leaves while it is
// paused is resumed until its job has ended, and freed then: libssl leaks the job of an SSL that is
// freed earlier (free_at_once does so).
#ifndef GHOSTCARD_TOOLS_TLS_SERVER_H_
#define GHOSTCARD_TOOLS_TLS_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hwsim/clock.h"
#include "tools/tls_identity.h"

namespace tools {

enum class TlsVersion : uint8_t { k12, k13 };
std::string_view TlsVersionName(TlsVersion version);  // "1.2", "1.3"

// How a paused connection is told; kNone: connections do not pause (no SSL_MODE_ASYNC).
enum class TlsNotify : uint8_t { kNone, kFd, kCallback };
std::string_view TlsNotifyName(TlsNotify notify);  // "none", "fd", "callback"

struct TlsServerOptions {
  OSSL_LIB_CTX* library = nullptr;  // whose providers do the cryptography; null: the process's
  std::string properties;           // of the algorithms to be used, as "?provider=ghostcard"
  TlsVersion version = TlsVersion::k13;
  TlsIdentity identity;
  std::optional<TlsIdentity> client;  // demanded of clients; none: none is
  TlsNotify notify = TlsNotify::kNone;
  bool edge_triggered = false;     // how wait fds are watched
  bool free_at_once = false;       // SSL_free a paused connection when its peer leaves
  uint32_t connections_max = 256;  // at a time; further ones wait to be accepted
  uint32_t echo_bytes = 0;         // read from the client and written back after the handshake
  uint32_t tickets = 0;            // sessions offered for resumption
  std::function<void()>
      poll_card;  // called all the time while a connection is paused; empty: never
};

class TlsServer {
 public:
  // Listens on a port of 127.0.0.1 that the kernel chooses. Fails with what libssl or the kernel
  // says.
  static hwsim::Expected<std::unique_ptr<TlsServer>> Create(TlsServerOptions options);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  uint16_t port() const;

  // Serves until Stop was called and no connection is left.
  void Run();
  void Stop();

  struct Counts {
    uint64_t accepted = 0;
    uint64_t handshakes = 0;  // completed
    uint64_t resumed = 0;     // of them by an earlier session
    uint64_t failed = 0;      // handshakes that did not complete: aborted by the client, or wrong
    uint64_t freed_in_flight = 0;  // SSL_free while paused
    uint64_t pauses = 0;           // SSL_ERROR_WANT_ASYNC
    uint64_t again = 0;            // of them because the card was full: ASYNC_STATUS_EAGAIN
    uint64_t jobs_short = 0;       // SSL_ERROR_WANT_ASYNC_JOB
    std::string first_failure;     // of a connection whose client was still there
    uint64_t unexpected = 0;       // such failures
    hwsim::Duration cpu{};         // of the server's thread
  };
  // After Run.
  const Counts& counts() const;

 private:
  class Impl;
  explicit TlsServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_TLS_SERVER_H_
