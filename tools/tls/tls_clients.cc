#include "tools/tls/tls_clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <random>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "hwsim/base/fd.h"
#include "tools/tls/cpu_time.h"

namespace tools::tls {

using hwsim::Expected;
using SteadyClock = std::chrono::steady_clock;

namespace {

// The point at which a client disconnects early.
enum class Leave : uint8_t { kNever, kAfterConnect, kAfterHello, kOnFirstAnswer, kAfterHandshake };

struct Client {
  enum class Step : uint8_t { kConnect, kHandshake, kWrite, kRead, kClose };
  hwsim::UniqueFd socket;
  SslPtr ssl;
  Step step = Step::kConnect;
  Leave leave = Leave::kNever;
  uint32_t events = 0;  // of epoll for this socket
  std::vector<char> echo;
  size_t echoed = 0;
  SteadyClock::time_point started;
};

Expected<SslContextPtr> MakeContext(OSSL_LIB_CTX* library, const TlsClientsOptions& options) {
  SslContextPtr context(SSL_CTX_new_ex(library, nullptr, TLS_client_method()));
  if (context == nullptr) return hwsim::Unexpected(OpensslError("SSL_CTX_new_ex"));
  const int version = options.version == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  if (SSL_CTX_set_min_proto_version(context.get(), version) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), version) != 1) {
    return hwsim::Unexpected(OpensslError("setting up TLS clients"));
  }
  if (auto demanded = DemandIdentity(context.get(), library, options.server); !demanded) {
    return hwsim::Unexpected(std::move(demanded.error()));
  }
  if (options.identity) {
    if (auto used = UseIdentity(context.get(), library, {}, *options.identity); !used) {
      return hwsim::Unexpected(std::move(used.error()));
    }
  }
  return context;
}

char PatternAt(size_t index) { return static_cast<char>(index * 31 + 7); }

}  // namespace

// The clients of one thread.
class ClientLoop {
 public:
  ClientLoop(const TlsClientsOptions& options, SSL_CTX* context, std::atomic<int64_t>& left,
             uint32_t clients, uint64_t seed)
      : options_(options), context_(context), left_(left), random_(seed), clients_(clients) {
    for (Client& client : clients_) client.echo.resize(options.echo_bytes);
  }

  void Run() {
    epoll_ = hwsim::UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.valid()) return GiveUp(hwsim::SystemError("epoll_create1", errno));
    for (Client& client : clients_) Begin(client);
    std::array<epoll_event, 64> events;
    while (open_ > 0) {
      const int count =
          ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) {
        GiveUp(hwsim::SystemError("epoll_wait", errno));
        clients_.clear();  // the server waits until its clients disconnect
        break;
      }
      for (int i = 0; i < count; ++i) {
        Client& client = *static_cast<Client*>(events[static_cast<size_t>(i)].data.ptr);
        ++client.events;
        if (client.ssl != nullptr) Drive(client);
      }
    }
    counts_.cpu = ThreadCpuTime();
  }

  TlsClients::Counts& counts() { return counts_; }

 private:
  // Begins the next connection, if one is left.
  void Begin(Client& client) {
    if (left_.fetch_sub(1, std::memory_order_relaxed) <= 0) return;
    client.started = SteadyClock::now();
    client.step = Client::Step::kConnect;
    client.events = 0;
    client.echoed = 0;
    client.leave = Leave::kNever;
    if (std::uniform_real_distribution<>()(random_) < options_.abort_probability) {
      client.leave = static_cast<Leave>(std::uniform_int_distribution<>(1, 4)(random_));
    }
    auto begun = Connect(client);
    if (begun) begun = SetUp(client);
    if (!begun) {
      client.ssl.reset();
      client.socket.Reset();
      return GiveUp(std::move(begun.error()));
    }
    ++open_;
  }

  Expected<void> Connect(Client& client) const {
    client.socket =
        hwsim::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!client.socket.valid()) return hwsim::Unexpected(hwsim::SystemError("socket", errno));
    const int fd = client.socket.get();
    const int on = 1;
    const linger reset{.l_onoff = 1, .l_linger = 0};
    if (::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0) {
      return hwsim::Unexpected(hwsim::SystemError("setsockopt", errno));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(options_.port);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS) {
      return hwsim::Unexpected(hwsim::SystemError("connect", errno));
    }
    return {};
  }

  Expected<void> SetUp(Client& client) {
    client.ssl.reset(SSL_new(context_));
    if (client.ssl == nullptr || SSL_set_fd(client.ssl.get(), client.socket.get()) != 1) {
      return hwsim::Unexpected(OpensslError("a client could not be set up"));
    }
    SSL_set_connect_state(client.ssl.get());
    if (options_.resume && session_ != nullptr &&
        SSL_set_session(client.ssl.get(), session_.get()) != 1) {
      return hwsim::Unexpected(OpensslError("SSL_set_session"));
    }
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                      .data = {.ptr = &client}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event) != 0) {
      return hwsim::Unexpected(hwsim::SystemError("epoll_ctl", errno));
    }
    return {};
  }

  void Drive(Client& client) {
    for (;;) {
      if (Leaves(client)) {
        ++counts_.aborted;
        return End(client);
      }
      ERR_clear_error();
      const int result = Step(client);
      if (result > 0) {
        if (!Advance(client, result)) return;
        continue;
      }
      const int error = SSL_get_error(client.ssl.get(), result);
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        if (client.leave != Leave::kAfterHello) return;
        ++counts_.aborted;
        return End(client);
      }
      if (client.step == Client::Step::kClose && error == SSL_ERROR_ZERO_RETURN) {
        Completed(client);
      } else {
        Fail(OpensslError(error == SSL_ERROR_SYSCALL
                              ? hwsim::SystemError("TLS client", errno).message
                              : "TLS client")
                 .message);
      }
      return End(client);
    }
  }

  static bool Leaves(const Client& client) {
    switch (client.leave) {
      case Leave::kAfterConnect:
        return client.step != Client::Step::kConnect;
      case Leave::kOnFirstAnswer:
        return client.events > 1;
      case Leave::kAfterHandshake:
        return client.step > Client::Step::kHandshake;
      case Leave::kAfterHello:
      case Leave::kNever:
        break;
    }
    return false;
  }

  static int Step(Client& client) {
    SSL* const ssl = client.ssl.get();
    const std::span<char> left = std::span(client.echo).subspan(client.echoed);
    switch (client.step) {
      case Client::Step::kConnect:
        return 1;  // the first write reports an error
      case Client::Step::kHandshake:
        return SSL_connect(ssl);
      case Client::Step::kWrite:
        return SSL_write(ssl, left.data(), static_cast<int>(left.size()));
      case Client::Step::kRead:
        return SSL_read(ssl, left.data(), static_cast<int>(left.size()));
      case Client::Step::kClose:
        break;
    }
    char byte;
    return SSL_read(ssl, &byte, 1);
  }

  bool Advance(Client& client, int result) {
    switch (client.step) {
      case Client::Step::kConnect:
        client.step = Client::Step::kHandshake;
        return true;
      case Client::Step::kHandshake:
        counts_.latencies_ns.push_back(static_cast<uint32_t>(
            std::min<int64_t>((SteadyClock::now() - client.started).count(), UINT32_MAX)));
        if (client.echo.empty()) {
          client.step = Client::Step::kClose;
        } else {
          client.step = Client::Step::kWrite;
          for (size_t i = 0; i < client.echo.size(); ++i) client.echo[i] = PatternAt(i);
        }
        return true;
      case Client::Step::kWrite:
        client.echoed += static_cast<size_t>(result);
        if (client.echoed < client.echo.size()) return true;
        client.echoed = 0;
        std::fill(client.echo.begin(), client.echo.end(), '\0');
        client.step = Client::Step::kRead;
        return true;
      case Client::Step::kRead:
        client.echoed += static_cast<size_t>(result);
        if (client.echoed == client.echo.size()) client.step = Client::Step::kClose;
        return true;
      case Client::Step::kClose:
        break;
    }
    Fail("the server sent more bytes than the client");
    End(client);
    return false;
  }

  void Completed(Client& client) {
    for (size_t i = 0; i < client.echo.size(); ++i) {
      if (client.echo[i] != PatternAt(i)) return Fail("the echo differs from what the client sent");
    }
    ++counts_.handshakes;
    if (SSL_session_reused(client.ssl.get()) != 0) ++counts_.resumed;
    if (options_.resume) session_.reset(SSL_get1_session(client.ssl.get()));
  }

  void Fail(const std::string& why) {
    if (counts_.failed++ == 0) counts_.first_failure = why;
  }

  // A connection could not be begun: no client begins another, as the next would fail too.
  void GiveUp(hwsim::Error error) {
    Fail(error.message);
    if (!counts_.error) counts_.error = std::move(error);
    left_.store(0, std::memory_order_relaxed);
  }

  void End(Client& client) {
    // Marked as closed in good order, since libssl otherwise drops the session.
    SSL_set_shutdown(client.ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    client.ssl.reset();
    client.socket.Reset();
    --open_;
    Begin(client);
  }

  const TlsClientsOptions& options_;
  SSL_CTX* const context_;
  std::atomic<int64_t>& left_;
  std::mt19937_64 random_;
  std::vector<Client> clients_;
  hwsim::UniqueFd epoll_;
  SslSessionPtr session_;
  size_t open_ = 0;
  TlsClients::Counts counts_;
};

class TlsClients::Impl {
 public:
  Impl(TlsClientsOptions options, LibraryPtr library, SslContextPtr context)
      : options_(std::move(options)),
        library_(std::move(library)),
        context_(std::move(context)),
        left_(static_cast<int64_t>(options_.connections)),
        running_(options_.threads) {
    for (uint32_t i = 0; i < options_.threads; ++i) {
      const uint32_t clients = options_.concurrency / options_.threads +
                               (i < options_.concurrency % options_.threads ? 1 : 0);
      loops_.emplace_back(options_, context_.get(), left_, clients, options_.seed + i);
    }
  }

  Expected<void> Start() {
    for (ClientLoop& loop : loops_) {
      try {
        threads_.emplace_back([this, &loop] {
          loop.Run();
          EndThreads(1);
        });
      } catch (const std::system_error& error) {
        Stop();
        EndThreads(static_cast<uint32_t>(loops_.size() - threads_.size()));
        return hwsim::Unexpected(hwsim::SystemError("a client thread", error.code().value()));
      }
    }
    return {};
  }

  void Stop() { left_.store(0, std::memory_order_relaxed); }

  Counts Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    Counts sum;
    for (ClientLoop& loop : loops_) {
      const Counts& counts = loop.counts();
      sum.handshakes += counts.handshakes;
      sum.resumed += counts.resumed;
      sum.aborted += counts.aborted;
      sum.failed += counts.failed;
      if (sum.first_failure.empty()) sum.first_failure = counts.first_failure;
      if (!sum.error) sum.error = counts.error;
      sum.latencies_ns.insert(sum.latencies_ns.end(), counts.latencies_ns.begin(),
                              counts.latencies_ns.end());
      sum.cpu += counts.cpu;
    }
    return sum;
  }

 private:
  // acq_rel: `done` sees what every thread did.
  void EndThreads(uint32_t count) {
    const bool last = running_.fetch_sub(count, std::memory_order_acq_rel) == count;
    if (last && options_.done) options_.done();
  }

  const TlsClientsOptions options_;
  const LibraryPtr library_;
  const SslContextPtr context_;
  std::atomic<int64_t> left_;      // connections to begin
  std::atomic<uint32_t> running_;  // threads
  std::deque<ClientLoop> loops_;
  std::vector<std::thread> threads_;
};

TlsClients::TlsClients(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsClients::~TlsClients() = default;

Expected<std::unique_ptr<TlsClients>> TlsClients::Create(TlsClientsOptions options) {
  LibraryPtr library(OSSL_LIB_CTX_new());
  if (library == nullptr) return hwsim::Unexpected(OpensslError("OSSL_LIB_CTX_new"));
  auto context = MakeContext(library.get(), options);
  if (!context) return hwsim::Unexpected(std::move(context.error()));
  return std::unique_ptr<TlsClients>(new TlsClients(
      std::make_unique<Impl>(std::move(options), std::move(library), std::move(*context))));
}

Expected<void> TlsClients::Start() { return impl_->Start(); }
void TlsClients::Stop() { impl_->Stop(); }
TlsClients::Counts TlsClients::Join() { return impl_->Join(); }

}  // namespace tools::tls
