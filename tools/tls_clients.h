// TlsClients: many nonblocking TLS clients of 127.0.0.1, in threads of their own: connect,
// handshake, an echo if asked for, read until the server's close_notify, hang up (with a reset, so
// that no port stays in TIME_WAIT). Some may leave in the middle, at a place chosen from a seed.
//
// Threads: each client thread has an event loop over its share of the connections. Create, Start
// and Join on one thread. Ownership: a library context, with the default provider, of their own:
// no card for clients.
#ifndef GHOSTCARD_TOOLS_TLS_CLIENTS_H_
#define GHOSTCARD_TOOLS_TLS_CLIENTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hwsim/clock.h"
#include "tools/tls_identity.h"
#include "tools/tls_server.h"

namespace tools {

struct TlsClientsOptions {
  uint16_t port = 0;
  TlsVersion version = TlsVersion::k13;
  TlsIdentity server;                   // the only one trusted
  std::optional<TlsIdentity> identity;  // shown when the server asks
  uint32_t threads = 1;
  uint32_t concurrency = 64;  // connections under way, of all threads together; >= threads
  uint64_t connections = 1000;
  double abort_probability = 0;  // of a connection: that it leaves before its handshake is over
  bool resume = false;           // offer the thread's last session
  uint32_t echo_bytes = 0;       // as the server's
  uint64_t seed = 1;
  std::function<void()> done;  // called once, by the last thread, when all connections have ended
};

class TlsClients {
 public:
  // Fails with what libssl says.
  static hwsim::Expected<std::unique_ptr<TlsClients>> Create(TlsClientsOptions options);
  ~TlsClients();
  TlsClients(const TlsClients&) = delete;
  TlsClients& operator=(const TlsClients&) = delete;

  void Start();

  struct Counts {
    uint64_t handshakes = 0;  // completed, echo and close_notify included
    uint64_t resumed = 0;     // of them by an earlier session
    uint64_t aborted = 0;     // left on purpose
    uint64_t failed = 0;      // neither
    std::string first_failure;
    std::vector<uint32_t> latencies_ns;  // from connect to the handshake's end
    hwsim::Duration cpu{};               // of the client threads
  };
  // Waits for the threads.
  Counts Join();

 private:
  class Impl;
  explicit TlsClients(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_TLS_CLIENTS_H_
