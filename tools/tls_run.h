// A TLS server on the calling thread, its clients in threads of their own, and what it took.
#ifndef GHOSTCARD_TOOLS_TLS_RUN_H_
#define GHOSTCARD_TOOLS_TLS_RUN_H_

#include "tools/tls_clients.h"
#include "tools/tls_server.h"

namespace tools {

struct TlsRunResult {
  TlsServer::Counts server;
  TlsClients::Counts clients;
  hwsim::Duration wall{};
  hwsim::Duration cpu{};  // user and system time of the whole process
};

// Runs `clients.connections` connections; what the two sides have to agree on (port, version,
// identities, echo) is the server's. Ignores SIGPIPE in the process from then on. Several may run
// at once, each on a thread of its own; cpu is then of all.
hwsim::Expected<TlsRunResult> RunTls(TlsServerOptions server, TlsClientsOptions clients);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_TLS_RUN_H_
