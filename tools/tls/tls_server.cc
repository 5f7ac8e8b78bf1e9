#include "tools/tls/tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "hwsim/base/fd.h"
#include "tools/load/ready_list.h"
#include "tools/tls/cpu_time.h"

namespace tools::tls {

using hwsim::Expected;

namespace {

struct Connection;

// The connections whose callbacks ran, and the eventfd that ends the server's sleep in epoll_wait.
struct ReadyConnections {
  void Push(Connection& connection);

  load::ReadyList<Connection> list;
  hwsim::EventFd wake;
};

// The state of one connection at a time. The server uses each object for many connections in turn,
// and frees none while it runs: a late event or callback finds an object, and at worst drives the
// object's next connection once without need.
struct Connection : load::ReadyItem {
  enum class Step : uint8_t { kHandshake, kRead, kWrite, kShutdown, kLinger };

  // What the data of an epoll event points to.
  struct Source {
    Connection* connection;
    bool is_wait_fd;
  };
  Source socket_source{this, false};
  Source wait_source{this, true};

  hwsim::UniqueFd socket;
  SslPtr ssl;  // null: no connection
  Step step = Step::kHandshake;
  // Buffers: a paused SSL_read or SSL_write uses its buffer until it is resumed.
  std::vector<char> echo;
  char linger = 0;
  size_t echoed = 0;
  bool paused = false;
  bool peer_left = false;
  bool to_retry = false;  // no fd and no callback will tell: resume it on the next turn

  ReadyConnections* ready = nullptr;
};

void ReadyConnections::Push(Connection& connection) {
  if (list.Push(connection)) wake.Signal();
}

Expected<hwsim::UniqueFd> Listen(uint16_t& port) {
  hwsim::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return hwsim::Unexpected(hwsim::SystemError("socket", errno));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), generic, size) != 0 || ::listen(fd.get(), 4096) != 0 ||
      ::getsockname(fd.get(), generic, &size) != 0) {
    return hwsim::Unexpected(hwsim::SystemError("listening on 127.0.0.1", errno));
  }
  port = ntohs(address.sin_port);
  return fd;
}

Expected<SslContextPtr> MakeContext(const TlsServerOptions& options) {
  SslContextPtr context(SSL_CTX_new_ex(
      options.library, options.properties.empty() ? nullptr : options.properties.c_str(),
      TLS_server_method()));
  if (context == nullptr) return hwsim::Unexpected(OpensslError("SSL_CTX_new_ex"));
  static constexpr std::array<unsigned char, 9> kSessions = {'g', 'h', 'o', 's', 't',
                                                             'c', 'a', 'r', 'd'};
  const int version = options.version == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  if (SSL_CTX_set_min_proto_version(context.get(), version) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), version) != 1 ||
      SSL_CTX_set_num_tickets(context.get(), options.tickets) != 1 ||
      SSL_CTX_set_session_id_context(context.get(), kSessions.data(), kSessions.size()) != 1) {
    return hwsim::Unexpected(OpensslError("setting up a TLS server"));
  }
  // These return the new or the old settings, and cannot fail.
  if (options.notify != TlsNotify::kNone) SSL_CTX_set_mode(context.get(), SSL_MODE_ASYNC);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (options.tickets == 0) SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (auto used = UseIdentity(context.get(), options.library, options.properties, options.identity);
      !used) {
    return hwsim::Unexpected(std::move(used.error()));
  }
  if (options.client) {
    if (auto demanded = DemandIdentity(context.get(), options.library, *options.client);
        !demanded) {
      return hwsim::Unexpected(std::move(demanded.error()));
    }
  }
  return context;
}

}  // namespace

class TlsServer::Impl {
 public:
  Impl(TlsServerOptions options, SslContextPtr context, hwsim::UniqueFd listener,
       hwsim::UniqueFd epoll, hwsim::EventFd wake, uint16_t port)
      : port_(port),
        options_(std::move(options)),
        context_(std::move(context)),
        listener_(std::move(listener)),
        epoll_(std::move(epoll)),
        ready_{.list = {}, .wake = std::move(wake)} {
    for (uint32_t i = 0; i < options_.connections_max; ++i) {
      Connection& connection = connections_.emplace_back();
      connection.ready = &ready_;
      connection.echo.resize(options_.echo_bytes);
      free_.push_back(&connection);
    }
    if (Watch(listener_.get(), EPOLLIN | EPOLLET, &listener_)) {
      Watch(ready_.wake.fd(), EPOLLIN, &ready_);
    }
  }

  Expected<void> Run() {
    const hwsim::Duration cpu_before = ThreadCpuTime();
    std::array<epoll_event, 64> events;
    while (!IsDone()) {
      const bool sleeps = to_retry_.empty() && !polling() && ready_.list.AnnounceSleep();
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                     sleeps ? -1 : 0);
      if (count < 0 && errno != EINTR) Fail(hwsim::SystemError("epoll_wait", errno));
      ready_.list.EndSleep();
      for (int i = 0; i < count; ++i) Handle(events[static_cast<size_t>(i)]);
      if (polling()) options_.poll_card();
      ready_.list.TakeAll([this](Connection& connection) { Drive(connection); });
      Retry();
      if (accept_more_) Accept();
    }
    counts_.cpu = ThreadCpuTime() - cpu_before;
    if (error_) return hwsim::Unexpected(*error_);
    return {};
  }

  void Stop() {
    stopped_.store(true, std::memory_order_release);
    ready_.wake.Signal();
  }

  const Counts& counts() const { return counts_; }
  uint16_t port() const { return port_; }

 private:
  bool polling() const { return options_.poll_card && paused_ > 0; }

  bool IsDone() const {
    const bool ends = error_ || stopped_.load(std::memory_order_acquire);
    return ends && free_.size() == connections_.size();
  }

  // Ends the run with `error`, the first one given. No connection is accepted after this. The
  // paused connections are resumed on each turn, without waiting for an event, until their jobs
  // end, since the failure may be that an event cannot arrive.
  void Fail(hwsim::Error error) {
    if (error_) return;
    error_ = std::move(error);
    listener_.Reset();  // resets the connections that wait to be accepted
    accept_more_ = false;
    for (Connection& connection : connections_) {
      if (connection.ssl == nullptr) continue;
      if (connection.paused) {
        RetryLater(connection);
      } else {
        End(connection);
      }
    }
  }

  // False: epoll refused, and the run has failed.
  bool Watch(int fd, uint32_t events, void* source) {
    epoll_event event{.events = events, .data = {.ptr = source}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return true;
    Fail(hwsim::SystemError("epoll_ctl", errno));
    return false;
  }

  void Handle(const epoll_event& event) {
    if (event.data.ptr == &listener_) {
      accept_more_ = !error_;
      return;
    }
    if (event.data.ptr == &ready_) {
      ready_.wake.Drain();
      return;
    }
    const auto& source = *static_cast<Connection::Source*>(event.data.ptr);
    Connection& connection = *source.connection;
    if (connection.ssl == nullptr) return;  // it ended earlier in this turn
    if (source.is_wait_fd) {
      if (connection.paused) Drive(connection);
      return;
    }
    if ((event.events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) connection.peer_left = true;
    if (!connection.paused) {
      Drive(connection);
    } else if (connection.peer_left && options_.free_at_once) {
      ++counts_.freed_in_flight;
      End(connection);
    }
  }

  // The listener is edge-triggered: accepts until the queue is empty, or no Connection is free. Any
  // other outcome fails the run, since no further edge would come.
  void Accept() {
    while (!free_.empty() && !error_) {
      hwsim::UniqueFd socket(
          ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (socket.valid()) {
        Begin(std::move(socket));
        continue;
      }
      if (errno == ECONNABORTED || errno == EINTR) continue;
      accept_more_ = false;
      if (errno != EAGAIN && errno != EWOULDBLOCK) Fail(hwsim::SystemError("accept4", errno));
      return;
    }
  }

  void Begin(hwsim::UniqueFd socket) {
    ++counts_.accepted;
    const int on = 1;
    if (::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
      return Fail(hwsim::SystemError("setsockopt", errno));
    }
    Connection& connection = *free_.back();
    SslPtr ssl(SSL_new(context_.get()));
    if (ssl == nullptr || SSL_set_fd(ssl.get(), socket.get()) != 1 ||
        !SetCallback(ssl.get(), connection)) {
      return Fail(OpensslError("a connection could not be set up"));
    }
    SSL_set_accept_state(ssl.get());
    free_.pop_back();
    connection.socket = std::move(socket);
    connection.ssl = std::move(ssl);
    connection.step = Connection::Step::kHandshake;
    connection.echoed = 0;
    connection.peer_left = false;
    if (Watch(connection.socket.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
              &connection.socket_source)) {
      Drive(connection);
    }
  }

  // False: libssl refused.
  bool SetCallback(SSL* ssl, Connection& connection) const {
    if (options_.notify != TlsNotify::kCallback) return true;
    const auto push = [](SSL*, void* argument) {
      Connection& ready = *static_cast<Connection*>(argument);
      ready.ready->Push(ready);
      return 1;
    };
    return SSL_set_async_callback(ssl, push) == 1 &&
           SSL_set_async_callback_arg(ssl, &connection) == 1;
  }

  // Runs a connection until it pauses, waits for its socket, or ends.
  void Drive(Connection& connection) {
    if (connection.ssl == nullptr) return;
    if (std::exchange(connection.paused, false)) --paused_;
    connection.to_retry = false;
    for (;;) {
      ERR_clear_error();
      const int result = Run(connection);
      const int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(connection.ssl.get(), result);
      if (error_ && error != SSL_ERROR_WANT_ASYNC) return End(connection);  // its job has ended
      switch (error) {
        case SSL_ERROR_NONE:
          if (!Advance(connection, result)) return;
          break;
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
          return;  // the socket's next edge continues the connection
        case SSL_ERROR_WANT_ASYNC:
          return Paused(connection);
        case SSL_ERROR_WANT_ASYNC_JOB:
          ++counts_.jobs_short;
          return RetryLater(connection);
        default:
          return Failed(connection, error);
      }
    }
  }

  // Makes the libssl call of the connection's step, and returns its result.
  static int Run(Connection& connection) {
    SSL* const ssl = connection.ssl.get();
    const std::span<char> left = std::span(connection.echo).subspan(connection.echoed);
    switch (connection.step) {
      case Connection::Step::kHandshake:
        return SSL_accept(ssl);
      case Connection::Step::kRead:
        return SSL_read(ssl, left.data(), static_cast<int>(left.size()));
      case Connection::Step::kWrite:
        return SSL_write(ssl, left.data(), static_cast<int>(left.size()));
      case Connection::Step::kShutdown: {
        const int result = SSL_shutdown(ssl);
        return result == 0 ? 1 : result;  // sent; the server does not wait for the client's
      }
      case Connection::Step::kLinger:
        break;
    }
    return SSL_read(ssl, &connection.linger, 1);
  }

  // Takes the step after a call that succeeded. False: the connection has ended.
  bool Advance(Connection& connection, int result) {
    switch (connection.step) {
      case Connection::Step::kHandshake:
        ++counts_.handshakes;
        if (SSL_session_reused(connection.ssl.get()) != 0) ++counts_.resumed;
        connection.step =
            !connection.echo.empty() ? Connection::Step::kRead : Connection::Step::kShutdown;
        return true;
      case Connection::Step::kRead:
      case Connection::Step::kWrite:
        connection.echoed += static_cast<size_t>(result);
        if (connection.echoed < connection.echo.size()) return true;
        connection.echoed = 0;
        connection.step = connection.step == Connection::Step::kRead ? Connection::Step::kWrite
                                                                     : Connection::Step::kShutdown;
        return true;
      case Connection::Step::kShutdown:
        connection.step = Connection::Step::kLinger;
        return true;
      case Connection::Step::kLinger:
        break;
    }
    End(connection);
    return false;
  }

  void Paused(Connection& connection) {
    ++counts_.pauses;
    connection.paused = true;
    ++paused_;
    int status = ASYNC_STATUS_UNSUPPORTED;
    if (SSL_get_async_status(connection.ssl.get(), &status) != 1) {
      return Fail(OpensslError("SSL_get_async_status"));
    }
    const bool again = status == ASYNC_STATUS_EAGAIN;
    if (again) ++counts_.again;
    const bool by_fd = options_.notify == TlsNotify::kFd;
    // After an error every connection ends, and on EAGAIN no callback comes.
    if (error_ || (again && !by_fd)) {
      RetryLater(connection);
    } else if (by_fd) {
      WatchWaitFds(connection);
    }
  }

  // Applies the changes of the connection's wait fds to epoll: removals first.
  void WatchWaitFds(Connection& connection) {
    SSL* const ssl = connection.ssl.get();
    size_t all = 0;
    size_t added = 0;
    size_t removed = 0;
    if (SSL_get_all_async_fds(ssl, nullptr, &all) != 1 ||
        SSL_get_changed_async_fds(ssl, nullptr, &added, nullptr, &removed) != 1) {
      return Fail(OpensslError("the wait fds of a paused connection"));
    }
    // Without a wait fd, nothing tells when to resume.
    if (all == 0) return Fail(hwsim::SystemError("the wait fd of a paused connection", EMFILE));
    if (added + removed == 0) return;
    added_.resize(added);
    removed_.resize(removed);
    if (SSL_get_changed_async_fds(ssl, added_.data(), &added, removed_.data(), &removed) != 1) {
      return Fail(OpensslError("the wait fds of a paused connection"));
    }
    for (const int fd : removed_) {
      // ENOENT and EBADF: the engine has closed the fd, which removed it from the epoll set.
      if (::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr) != 0 && errno != ENOENT &&
          errno != EBADF) {
        return Fail(hwsim::SystemError("epoll_ctl", errno));
      }
    }
    const uint32_t events = options_.edge_triggered ? EPOLLIN | EPOLLET : uint32_t{EPOLLIN};
    for (const int fd : added_) {
      if (!Watch(fd, events, &connection.wait_source)) return;
    }
  }

  void RetryLater(Connection& connection) {
    if (!std::exchange(connection.to_retry, true)) to_retry_.push_back(&connection);
  }

  // Drives each connection of to_retry_ once: other connections may have made room meanwhile.
  void Retry() {
    for (Connection* const connection : std::exchange(to_retry_, {})) {
      // False: an event or a callback resumed it after all, or it has ended.
      if (connection->to_retry) Drive(*connection);
    }
  }

  void Failed(Connection& connection, int error) {
    if (connection.step == Connection::Step::kHandshake) ++counts_.failed;
    // A client that disconnects is not counted as a server failure.
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (error == SSL_ERROR_SSL && !connection.peer_left &&
        reason != SSL_R_UNEXPECTED_EOF_WHILE_READING && counts_.unexpected++ == 0) {
      counts_.first_failure = OpensslError("TLS server").message;
    }
    End(connection);
  }

  void End(Connection& connection) {
    if (std::exchange(connection.paused, false)) --paused_;
    connection.to_retry = false;
    connection.ssl.reset();
    connection.socket.Reset();
    free_.push_back(&connection);
  }

  const uint16_t port_;
  const TlsServerOptions options_;
  const SslContextPtr context_;
  hwsim::UniqueFd listener_;
  const hwsim::UniqueFd epoll_;
  std::atomic<bool> stopped_{false};
  ReadyConnections ready_;  // callbacks push from any thread

  // Of the server's thread.
  std::deque<Connection> connections_;
  std::vector<Connection*> free_;
  std::vector<Connection*> to_retry_;
  std::vector<int> added_, removed_;
  size_t paused_ = 0;
  bool accept_more_ = false;
  std::optional<hwsim::Error> error_;  // set: the run fails with it
  Counts counts_;
};

TlsServer::TlsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsServer::~TlsServer() = default;

Expected<std::unique_ptr<TlsServer>> TlsServer::Create(TlsServerOptions options) {
  auto context = MakeContext(options);
  if (!context) return hwsim::Unexpected(std::move(context.error()));
  uint16_t port = 0;
  auto listener = Listen(port);
  if (!listener) return hwsim::Unexpected(std::move(listener.error()));
  hwsim::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return hwsim::Unexpected(hwsim::SystemError("epoll_create1", errno));
  auto wake = hwsim::EventFd::Create();
  if (!wake) return hwsim::Unexpected(std::move(wake.error()));
  return std::unique_ptr<TlsServer>(new TlsServer(
      std::make_unique<Impl>(std::move(options), std::move(*context), std::move(*listener),
                             std::move(epoll), std::move(*wake), port)));
}

uint16_t TlsServer::port() const { return impl_->port(); }
Expected<void> TlsServer::Run() { return impl_->Run(); }
void TlsServer::Stop() { impl_->Stop(); }
const TlsServer::Counts& TlsServer::counts() const { return impl_->counts(); }

}  // namespace tools::tls
