#include "tools/tls/tls_run.h"

#include <csignal>
#include <utility>

#include "tools/load/out_of_descriptors.h"
#include "tools/tls/cpu_time.h"

namespace tools::tls {

using hwsim::Expected;

namespace {

// Runs both sides to their end. The server runs even if a client thread could not start, since the
// other clients wait for it.
Expected<TlsRunResult> RunBoth(TlsServer& server, TlsClients& clients) {
  TlsRunResult result;
  const hwsim::Duration cpu_before = ProcessCpuTime();
  const auto start = std::chrono::steady_clock::now();
  const auto started = clients.Start();
  const auto served = server.Run();
  if (!served) clients.Stop();
  result.clients = clients.Join();
  result.wall = std::chrono::steady_clock::now() - start;
  result.cpu = ProcessCpuTime() - cpu_before;
  result.server = server.counts();
  // The server's error first: when it closes its socket, the clients fail too.
  if (!served) return hwsim::Unexpected(served.error());
  if (!started) return hwsim::Unexpected(started.error());
  if (result.clients.error) return hwsim::Unexpected(*result.clients.error);
  return result;
}

Expected<TlsRunResult> SetUpAndRun(TlsServerOptions server_options,
                                   TlsClientsOptions client_options) {
  client_options.version = server_options.version;
  client_options.server = server_options.identity;
  client_options.identity = server_options.client;
  client_options.echo_bytes = server_options.echo_bytes;
  auto server = TlsServer::Create(std::move(server_options));
  if (!server) return hwsim::Unexpected(std::move(server.error()));
  client_options.port = (*server)->port();
  client_options.done = [&server = **server] { server.Stop(); };
  auto clients = TlsClients::Create(std::move(client_options));
  if (!clients) return hwsim::Unexpected(std::move(clients.error()));
  return RunBoth(**server, **clients);
}

}  // namespace

Expected<TlsRunResult> RunTls(TlsServerOptions server, TlsClientsOptions clients) {
  // Fails for invalid signals only.
  (void)std::signal(SIGPIPE, SIG_IGN);
  const uint32_t concurrency = clients.concurrency;
  const bool by_fd = server.notify == TlsNotify::kFd;
  auto result = SetUpAndRun(std::move(server), std::move(clients));
  if (!result && load::IsOutOfDescriptors(result.error())) {
    return hwsim::Unexpected(load::OutOfDescriptors(concurrency, "connections", by_fd));
  }
  return result;
}

}  // namespace tools::tls
