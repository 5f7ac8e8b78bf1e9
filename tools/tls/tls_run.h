// RunTls: runs a TLS server on the calling thread and its clients in threads of their own, and
// measures the run.
#ifndef GHOSTCARD_TOOLS_TLS_TLS_RUN_H_
#define GHOSTCARD_TOOLS_TLS_TLS_RUN_H_

#include "tools/tls/tls_clients.h"
#include "tools/tls/tls_server.h"

namespace tools::tls {

struct TlsRunResult {
  TlsServer::Counts server;
  TlsClients::Counts clients;
  hwsim::Duration wall{};
  hwsim::Duration cpu{};  // user and system time of the whole process
};

// Runs `clients.connections` connections. The clients take port, version, identities and echo from
// the server. Sets SIGPIPE to ignored in the process. Several threads may call RunTls at once;
// `cpu` is then the time of all runs. Fails when either side cannot be set up, or cannot go on:
// with OutOfDescriptors() when the process has no file descriptor left.
hwsim::Expected<TlsRunResult> RunTls(TlsServerOptions server, TlsClientsOptions clients);

}  // namespace tools::tls

#endif  // GHOSTCARD_TOOLS_TLS_TLS_RUN_H_
