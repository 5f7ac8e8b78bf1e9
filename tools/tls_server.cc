#include "tools/tls_server.h"

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
#include <ctime>
#include <deque>
#include <span>
#include <vector>

#include "hwsim/fd.h"

namespace tools {

using hwsim::Expected;

std::string_view TlsVersionName(TlsVersion version) {
  return version == TlsVersion::k12 ? "1.2" : "1.3";
}

std::string_view TlsNotifyName(TlsNotify notify) {
  switch (notify) {
    case TlsNotify::kNone:
      return "none";
    case TlsNotify::kFd:
      return "fd";
    case TlsNotify::kCallback:
      break;
  }
  return "callback";
}

namespace {

class ReadyList;

// A place for a connection. Places outlive connections, so that an event or a callback that comes
// late finds a place, and at worst drives its next connection once for nothing.
struct Place {
  enum class Step : uint8_t { kHandshake, kRead, kWrite, kShutdown, kLinger };

  // What an epoll event points to: a place, and which of its fds.
  struct Source {
    Place* place;
    bool is_wait_fd;
  };
  Source socket_source{this, false};
  Source wait_source{this, true};

  hwsim::UniqueFd socket;
  OpensslPtr<SSL> ssl;
  Step step = Step::kHandshake;
  // Of the place, not of a call: a paused read or write has its buffer until it is resumed.
  std::vector<char> echo;
  char linger = 0;
  size_t echoed = 0;
  bool paused = false;
  bool peer_left = false;
  bool by_trial = false;  // to be driven at the next turn, as nobody will tell

  ReadyList* ready = nullptr;
  std::atomic<bool> queued{false};
  Place* next_ready = nullptr;
};

// Where callbacks put the places that are to be driven, and the server's sleep ends. Many push,
// one takes.
class ReadyList {
 public:
  explicit ReadyList(const hwsim::EventFd& wake) : wake_(wake) {}

  void Push(Place& place) {
    if (place.queued.exchange(true, std::memory_order_acq_rel)) return;
    Place* head = head_.load(std::memory_order_relaxed);
    do {
      place.next_ready = head;
      // seq_cst with sleeping_: either the sleeper sees the place, or we see the sleeper.
    } while (!head_.compare_exchange_weak(head, &place, std::memory_order_seq_cst));
    if (sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false)) wake_.Signal();
  }

  // Whether there is something to take, so that the caller must not sleep.
  bool GoToSleep() {
    sleeping_.store(true, std::memory_order_seq_cst);
    if (head_.load(std::memory_order_seq_cst) == nullptr) return true;
    sleeping_.store(false, std::memory_order_relaxed);
    return false;
  }
  void WakeUp() { sleeping_.store(false, std::memory_order_relaxed); }

  // Calls drive(place) for each, oldest first.
  template <typename Drive>
  void Take(Drive drive) {
    Place* newest = head_.exchange(nullptr, std::memory_order_acquire);
    Place* oldest = nullptr;
    while (newest != nullptr) {
      Place* const next = newest->next_ready;
      newest->next_ready = oldest;
      oldest = newest;
      newest = next;
    }
    while (oldest != nullptr) {
      Place* const place = oldest;
      oldest = oldest->next_ready;  // it may be pushed again as soon as it is not queued
      place->queued.store(false, std::memory_order_release);
      drive(*place);
    }
  }

 private:
  const hwsim::EventFd& wake_;
  std::atomic<Place*> head_{nullptr};
  std::atomic<bool> sleeping_{false};
};

hwsim::Duration ThreadCpuTime() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
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

Expected<OpensslPtr<SSL_CTX>> MakeContext(const TlsServerOptions& options) {
  OpensslPtr<SSL_CTX> context(SSL_CTX_new_ex(
      options.library, options.properties.empty() ? nullptr : options.properties.c_str(),
      TLS_server_method()));
  if (context == nullptr) return hwsim::Unexpected(OpensslError("SSL_CTX_new_ex"));
  const int version = options.version == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  if (options.notify != TlsNotify::kNone) SSL_CTX_set_mode(context.get(), SSL_MODE_ASYNC);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_num_tickets(context.get(), options.tickets);
  if (options.tickets == 0) SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  static constexpr std::array<unsigned char, 9> kSessions = {'g', 'h', 'o', 's', 't',
                                                             'c', 'a', 'r', 'd'};
  SSL_CTX_set_session_id_context(context.get(), kSessions.data(), kSessions.size());
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
  Impl(TlsServerOptions options, OpensslPtr<SSL_CTX> context, hwsim::UniqueFd listener,
       hwsim::UniqueFd epoll, hwsim::EventFd wake, uint16_t port)
      : port_(port),
        options_(std::move(options)),
        context_(std::move(context)),
        listener_(std::move(listener)),
        epoll_(std::move(epoll)),
        wake_(std::move(wake)),
        ready_(wake_) {
    for (uint32_t i = 0; i < options_.connections_max; ++i) {
      Place& place = places_.emplace_back();
      place.ready = &ready_;
      place.echo.resize(options_.echo_bytes);
      free_.push_back(&place);
    }
    Watch(listener_.get(), EPOLLIN | EPOLLET, &listener_);
    Watch(wake_.fd(), EPOLLIN, &wake_);
  }

  void Run() {
    const hwsim::Duration cpu_before = ThreadCpuTime();
    std::array<epoll_event, 64> events;
    while (!stopped_.load(std::memory_order_acquire) || free_.size() < places_.size()) {
      const bool may_sleep = by_trial_.empty() && !polling() && ready_.GoToSleep();
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                     may_sleep ? -1 : 0);
      ready_.WakeUp();
      for (int i = 0; i < count; ++i) Handle(events[static_cast<size_t>(i)]);
      if (polling()) options_.poll_card();
      ready_.Take([this](Place& place) { Drive(place); });
      RetryByTrial();
      if (accept_more_) Accept();
    }
    counts_.cpu = ThreadCpuTime() - cpu_before;
  }

  void Stop() {
    stopped_.store(true, std::memory_order_release);
    wake_.Signal();
  }

  const Counts& counts() const { return counts_; }
  uint16_t port() const { return port_; }

 private:
  bool polling() const { return options_.poll_card && paused_ > 0; }

  void Watch(int fd, uint32_t events, void* source) {
    epoll_event event{.events = events, .data = {.ptr = source}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void Handle(const epoll_event& event) {
    if (event.data.ptr == &listener_) {
      accept_more_ = true;
      return;
    }
    if (event.data.ptr == &wake_) {
      wake_.Drain();
      return;
    }
    const auto& source = *static_cast<Place::Source*>(event.data.ptr);
    Place& place = *source.place;
    if (place.ssl == nullptr) return;  // it ended in this very turn
    if (source.is_wait_fd) {
      if (place.paused) Drive(place);
      return;
    }
    if ((event.events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) place.peer_left = true;
    if (!place.paused) {
      Drive(place);
    } else if (place.peer_left && options_.free_at_once) {
      ++counts_.freed_in_flight;
      End(place);
    }
  }

  void Accept() {
    while (!free_.empty()) {
      hwsim::UniqueFd socket(
          ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.valid()) {
        if (errno == ECONNABORTED || errno == EINTR) continue;
        accept_more_ = false;
        return;
      }
      Begin(std::move(socket));
    }
  }

  void Begin(hwsim::UniqueFd socket) {
    ++counts_.accepted;
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Place& place = *free_.back();
    free_.pop_back();
    place.socket = std::move(socket);
    place.ssl.reset(SSL_new(context_.get()));
    place.step = Place::Step::kHandshake;
    place.echoed = 0;
    place.peer_left = false;
    SSL_set_fd(place.ssl.get(), place.socket.get());
    SSL_set_accept_state(place.ssl.get());
    if (options_.notify == TlsNotify::kCallback) {
      SSL_set_async_callback(place.ssl.get(), [](SSL*, void* argument) {
        Place& told = *static_cast<Place*>(argument);
        told.ready->Push(told);
        return 1;
      });
      SSL_set_async_callback_arg(place.ssl.get(), &place);
    }
    Watch(place.socket.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &place.socket_source);
    Drive(place);
  }

  // Runs a connection as far as it goes.
  void Drive(Place& place) {
    if (place.ssl == nullptr) return;
    if (std::exchange(place.paused, false)) --paused_;
    place.by_trial = false;
    for (;;) {
      ERR_clear_error();
      const int result = Run(place);
      if (result > 0) {
        if (!Advance(place, result)) return;
        continue;
      }
      const int error = SSL_get_error(place.ssl.get(), result);
      switch (error) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
          return;  // an edge of the socket comes
        case SSL_ERROR_WANT_ASYNC:
          Paused(place);
          return;
        case SSL_ERROR_WANT_ASYNC_JOB:
          ++counts_.jobs_short;
          TryAgain(place);
          return;
        default:
          Failed(place, error);
          return;
      }
    }
  }

  // One call of what the connection is at; as libssl's functions return.
  static int Run(Place& place) {
    SSL* const ssl = place.ssl.get();
    const std::span<char> left = std::span(place.echo).subspan(place.echoed);
    switch (place.step) {
      case Place::Step::kHandshake:
        return SSL_accept(ssl);
      case Place::Step::kRead:
        return SSL_read(ssl, left.data(), static_cast<int>(left.size()));
      case Place::Step::kWrite:
        return SSL_write(ssl, left.data(), static_cast<int>(left.size()));
      case Place::Step::kShutdown: {
        const int result = SSL_shutdown(ssl);
        return result == 0 ? 1 : result;  // sent; the client's is not waited for
      }
      case Place::Step::kLinger:
        break;
    }
    return SSL_read(ssl, &place.linger, 1);
  }

  // After a call that succeeded: what is next. False: the connection has ended.
  bool Advance(Place& place, int result) {
    switch (place.step) {
      case Place::Step::kHandshake:
        ++counts_.handshakes;
        if (SSL_session_reused(place.ssl.get()) != 0) ++counts_.resumed;
        place.step = !place.echo.empty() ? Place::Step::kRead : Place::Step::kShutdown;
        return true;
      case Place::Step::kRead:
      case Place::Step::kWrite:
        place.echoed += static_cast<size_t>(result);
        if (place.echoed < place.echo.size()) return true;
        place.echoed = 0;
        place.step =
            place.step == Place::Step::kRead ? Place::Step::kWrite : Place::Step::kShutdown;
        return true;
      case Place::Step::kShutdown:
        place.step = Place::Step::kLinger;
        return true;
      case Place::Step::kLinger:
        break;
    }
    End(place);
    return false;
  }

  void Paused(Place& place) {
    ++counts_.pauses;
    place.paused = true;
    ++paused_;
    int status = ASYNC_STATUS_UNSUPPORTED;
    SSL_get_async_status(place.ssl.get(), &status);
    const bool again = status == ASYNC_STATUS_EAGAIN;
    if (again) ++counts_.again;
    if (options_.notify == TlsNotify::kFd) {
      WatchWaitFds(place);
    } else if (again) {
      TryAgain(place);  // no callback is to be expected
    }
  }

  // Follows the changes of the connection's wait fds: removals first.
  void WatchWaitFds(Place& place) {
    size_t added = 0;
    size_t removed = 0;
    SSL_get_changed_async_fds(place.ssl.get(), nullptr, &added, nullptr, &removed);
    if (added + removed == 0) return;
    added_.resize(added);
    removed_.resize(removed);
    SSL_get_changed_async_fds(place.ssl.get(), added_.data(), &added, removed_.data(), &removed);
    for (const int fd : removed_) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    for (const int fd : added_) {
      Watch(fd, options_.edge_triggered ? EPOLLIN | EPOLLET : uint32_t{EPOLLIN},
            &place.wait_source);
    }
  }

  void TryAgain(Place& place) {
    if (!std::exchange(place.by_trial, true)) by_trial_.push_back(&place);
  }

  // Those that nobody will tell: once each, while others may have made room.
  void RetryByTrial() {
    for (Place* const place : std::exchange(by_trial_, {})) {
      if (place->by_trial) Drive(*place);  // else it was told after all, or has ended
    }
  }

  void Failed(Place& place, int error) {
    if (place.step == Place::Step::kHandshake) ++counts_.failed;
    // That a client goes, in the middle or at the end, is no failure of ours.
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (error == SSL_ERROR_SSL && !place.peer_left &&
        reason != SSL_R_UNEXPECTED_EOF_WHILE_READING && counts_.unexpected++ == 0) {
      counts_.first_failure = OpensslError("TLS server").message;
    }
    End(place);
  }

  void End(Place& place) {
    if (std::exchange(place.paused, false)) --paused_;
    place.by_trial = false;
    place.ssl.reset();
    place.socket.Reset();
    free_.push_back(&place);
  }

  const uint16_t port_;
  const TlsServerOptions options_;
  const OpensslPtr<SSL_CTX> context_;
  hwsim::UniqueFd listener_;
  const hwsim::UniqueFd epoll_;
  hwsim::EventFd wake_;
  std::atomic<bool> stopped_{false};

  // The server thread's.
  ReadyList ready_;
  std::deque<Place> places_;
  std::vector<Place*> free_;
  std::vector<Place*> by_trial_;
  std::vector<int> added_, removed_;
  size_t paused_ = 0;
  bool accept_more_ = false;
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
void TlsServer::Run() { impl_->Run(); }
void TlsServer::Stop() { impl_->Stop(); }
const TlsServer::Counts& TlsServer::counts() const { return impl_->counts(); }

}  // namespace tools
