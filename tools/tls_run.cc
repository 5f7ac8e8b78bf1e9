#include "tools/tls_run.h"

#include <sys/resource.h>

#include <csignal>
#include <utility>

namespace tools {

namespace {

hwsim::Duration ProcessCpuTime() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto time = [](const timeval& value) {
    return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
  };
  return time(usage.ru_utime) + time(usage.ru_stime);
}

}  // namespace

hwsim::Expected<TlsRunResult> RunTls(TlsServerOptions server_options,
                                     TlsClientsOptions client_options) {
  std::signal(SIGPIPE, SIG_IGN);
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

  TlsRunResult result;
  const hwsim::Duration cpu_before = ProcessCpuTime();
  const auto start = std::chrono::steady_clock::now();
  (*clients)->Start();
  (*server)->Run();
  result.clients = (*clients)->Join();
  result.wall = std::chrono::steady_clock::now() - start;
  result.cpu = ProcessCpuTime() - cpu_before;
  result.server = (*server)->counts();
  return result;
}

}  // namespace tools
