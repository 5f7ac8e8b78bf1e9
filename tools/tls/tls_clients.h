// TlsClients: many nonblocking TLS clients of a server on 127.0.0.1, in threads of their own. A
// client connects, does the handshake and an optional echo, reads until the server's close_notify,
// and disconnects with a reset, so that no port stays in TIME_WAIT. Some clients may disconnect
// early, at a point chosen from a seed.
//
// Threads: each client thread runs an event loop over its share of the connections. Create, Start
// and Join on one thread; Stop on any. Ownership: the clients have their own library context with
// the default provider, so no client uses the card.
#ifndef GHOSTCARD_TOOLS_TLS_TLS_CLIENTS_H_
#define GHOSTCARD_TOOLS_TLS_TLS_CLIENTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hwsim/base/clock.h"
#include "hwsim/base/error.h"
#include "tools/tls/tls_identity.h"
#include "tools/tls/tls_server.h"

namespace tools::tls {

struct TlsClientsOptions {
  uint16_t port = 0;
  TlsVersion version = TlsVersion::k13;
  TlsIdentity server;                   // the only certificate that clients trust
  std::optional<TlsIdentity> identity;  // presented when the server asks for one
  uint32_t threads = 1;
  uint32_t concurrency = 64;  // connections open at a time, of all threads together; >= threads
  uint64_t connections = 1000;
  double abort_probability = 0;  // that a client disconnects before its handshake has ended
  bool resume = false;           // offer the thread's last session
  uint32_t echo_bytes = 0;       // equal to the server's
  uint64_t seed = 1;
  std::function<void()> done;  // called once, by the last thread, when all connections have ended
};

class TlsClients {
 public:
  // Fails with the message of libssl.
  static hwsim::Expected<std::unique_ptr<TlsClients>> Create(TlsClientsOptions options);
  ~TlsClients();
  TlsClients(const TlsClients&) = delete;
  TlsClients& operator=(const TlsClients&) = delete;

  // Starts the threads. Fails when the system refuses a thread; Join waits for those that started.
  hwsim::Expected<void> Start();
  // Begins no further connection.
  void Stop();

  struct Counts {
    uint64_t handshakes = 0;  // completed, with echo and close_notify
    uint64_t resumed = 0;     // completed handshakes that resumed an earlier session
    uint64_t aborted = 0;     // disconnected on purpose
    uint64_t failed = 0;      // neither completed nor aborted
    std::string first_failure;
    // Set: the clients could not begin all connections, for this reason. error_number is EMFILE
    // when no descriptor was left.
    std::optional<hwsim::Error> error;
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

}  // namespace tools::tls

#endif  // GHOSTCARD_TOOLS_TLS_TLS_CLIENTS_H_
