#include "hwsim/completion_service.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hwsim/check.h"
#include "hwsim/fd.h"
#include "hwsim/fork_guard.h"

namespace hwsim {
namespace {

timespec ToTimespec(Duration duration) {
  duration = std::max(duration, Duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
}

// What all modes share: popping and handling.
class ServiceBase : public CompletionService {
 public:
  ServiceBase(Card& card, Options options)
      : card_(card),
        options_(std::move(options)),
        poll_interval_(options_.poll_interval),
        watchdog_interval_(options_.watchdog_interval) {}

  // Relaxed, as are the loads: a number that stands alone.
  void SetPollInterval(Duration interval) override {
    poll_interval_.store(interval, std::memory_order_relaxed);
  }
  void SetWatchdogInterval(Duration interval) override {
    watchdog_interval_.store(interval, std::memory_order_relaxed);
  }

  size_t Poll(size_t quota) override {
    size_t handled = 0;
    for (const auto& queue_pair : card_.queue_pairs()) handled += Drain(*queue_pair, quota);
    return handled;
  }

 protected:
  // Up to `quota` (0: until empty). A burst that is not full left nothing behind.
  size_t Drain(QueuePair& queue_pair, size_t quota) {
    std::array<Request*, kBurst> burst;
    size_t handled = 0;
    while (quota == 0 || handled < quota) {
      const size_t wanted = quota == 0 ? kBurst : std::min(kBurst, quota - handled);
      const size_t count = queue_pair.PopCompleted(std::span(burst).first(wanted));
      if (count != 0) options_.handler(queue_pair, std::span(burst).first(count));
      handled += count;
      if (count < wanted) break;
    }
    return handled;
  }
  bool AnyInFlight() const {
    return std::ranges::any_of(card_.queue_pairs(),
                               [](const auto& queue_pair) { return queue_pair->in_flight() != 0; });
  }

  Duration poll_interval() const { return poll_interval_.load(std::memory_order_relaxed); }
  Duration watchdog_interval() const { return watchdog_interval_.load(std::memory_order_relaxed); }

  Card& card_;
  const Options options_;

 private:
  std::atomic<Duration> poll_interval_;
  std::atomic<Duration> watchdog_interval_;
};

class InlineService final : public ServiceBase {
 public:
  using ServiceBase::ServiceBase;

  size_t Poll(size_t quota) override {
    const size_t handled = ServiceBase::Poll(quota);
    if (options_.on_time) RunOnTime();
    return handled;
  }
  void NoteSubmitted() override {}
  // Release, with the exchange below: what OnTime is to see was written before.
  void Wake() override { wake_.store(true, std::memory_order_release); }
  Stats stats() const override { return {}; }

 private:
  void RunOnTime() {
    // Acquire and release make it a lock that nobody waits for: one caller runs OnTime,
    // the others, and a Poll from inside it, go on without.
    if (busy_.exchange(true, std::memory_order_acquire)) return;
    const TimePoint now = card_.clock().Now();
    const bool due = next_ && *next_ <= now;
    if (wake_.exchange(false, std::memory_order_acquire) || due) next_ = options_.on_time(now);
    busy_.store(false, std::memory_order_release);
  }

  std::atomic<bool> wake_{true};  // OnTime has its first deadline to tell
  std::atomic<bool> busy_{false};
  std::optional<TimePoint> next_;  // guarded by busy_
};

// What the two modes with a thread share: waking it, and OnTime.
class ThreadedService : public ServiceBase {
 public:
  ThreadedService(Card& card, Options options, EventFd wake_fd)
      : ServiceBase(card, std::move(options)), wake_fd_(std::move(wake_fd)) {}

  void NoteSubmitted() override {
    // seq_cst, as are Submit's count and in_flight(): either the thread, which says that it
    // is idle and then looks for requests in flight, sees this one, or we see it idle.
    if (idle_.load(std::memory_order_seq_cst) && idle_.exchange(false, std::memory_order_seq_cst)) {
      wake_fd_.Signal();
    }
  }
  void Wake() override {
    // The first of several wakers pays for the system call; the thread drains the eventfd
    // before it clears the flag.
    if (!wake_.exchange(true, std::memory_order_seq_cst)) wake_fd_.Signal();
  }
  Stats stats() const override {
    return {.wakeups = wakeups_.load(std::memory_order_relaxed),
            .polls = polls_.load(std::memory_order_relaxed),
            .empty_polls = empty_polls_.load(std::memory_order_relaxed),
            .rescued = rescued_.load(std::memory_order_relaxed)};
  }

  // Apart from the constructor, because the thread calls what derived classes override.
  void Start() {
    thread_ = std::make_unique<std::thread>([this] {
      // The kernel may otherwise gather timers within 50 us.
      ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
      Run();
    });
  }

 protected:
  virtual void Run() = 0;

  // For the destructors, before anything that the thread uses goes.
  void Stop() {
    if (!thread_) return;  // it never began
    // A forked child has no such thread, and nothing that it could join.
    if (!fork_guard_.InCreator()) {
      (void)thread_.release();
      return;
    }
    stopping_.store(true, std::memory_order_relaxed);  // Wake() orders it
    Wake();
    thread_->join();
  }
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  // The thread's, as is all that follows.
  void CountLook(size_t found) {
    Add(polls_, 1);
    if (found == 0) Add(empty_polls_, 1);
  }
  static void Add(std::atomic<uint64_t>& counter, uint64_t n) {
    // Relaxed: one thread writes it, and it stands alone.
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  // Runs OnTime when it is due or was asked for.
  void RunOnTime() {
    const bool asked = wake_.exchange(false, std::memory_order_seq_cst);
    if (!options_.on_time) return;
    if (!asked && !next_on_time_) return;
    const TimePoint now = card_.clock().Now();
    if (asked || *next_on_time_ <= now) next_on_time_ = options_.on_time(now);
  }
  // Says that the thread is about to sleep with no time limit of its own, until
  // NoteSubmitted() or Wake(). False: something is in flight, it must not.
  bool BecomeIdle() {
    idle_.store(true, std::memory_order_seq_cst);
    if (!AnyInFlight()) return true;
    idle_.store(false, std::memory_order_seq_cst);
    return false;
  }
  // False: it was not idle any more, because of a submit.
  bool EndIdle() { return idle_.exchange(false, std::memory_order_seq_cst); }

  const EventFd wake_fd_;
  std::optional<TimePoint> next_on_time_;
  std::atomic<uint64_t> wakeups_{0};
  std::atomic<uint64_t> polls_{0};
  std::atomic<uint64_t> empty_polls_{0};
  std::atomic<uint64_t> rescued_{0};

 private:
  const ForkGuard fork_guard_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> wake_{true};  // OnTime has its first deadline to tell
  std::atomic<bool> idle_{false};
  std::unique_ptr<std::thread> thread_;
};

class PollingService final : public ThreadedService {
 public:
  using ThreadedService::ThreadedService;
  ~PollingService() override { Stop(); }

 private:
  void Run() override {
    while (!stopping()) {
      CountLook(ServiceBase::Poll(0));
      RunOnTime();
      if (stopping()) return;
      if (!AnyInFlight() && BecomeIdle()) {
        Sleep(std::nullopt);
        EndIdle();
      } else if (const Duration interval = poll_interval(); interval != Duration::zero()) {
        Sleep(interval);
      } else {
        std::this_thread::yield();  // "without a pause" still lets the submitter run
      }
    }
  }

  // Until woken, OnTime is due, or `time_max` is over.
  void Sleep(std::optional<Duration> time_max) {
    if (next_on_time_) {
      const Duration until = *next_on_time_ - card_.clock().Now();
      time_max = time_max ? std::min(*time_max, until) : until;
    }
    const timespec timeout = ToTimespec(time_max.value_or(Duration::zero()));
    pollfd poll_fd{.fd = wake_fd_.fd(), .events = POLLIN, .revents = 0};
    if (::ppoll(&poll_fd, 1, time_max ? &timeout : nullptr, nullptr) > 0) wake_fd_.Drain();
    Add(wakeups_, 1);
  }
};

class InterruptService final : public ThreadedService {
 public:
  InterruptService(Card& card, Options options, EventFd wake_fd, UniqueFd epoll_fd)
      : ThreadedService(card, std::move(options), std::move(wake_fd)),
        epoll_fd_(std::move(epoll_fd)) {}
  ~InterruptService() override { Stop(); }

  // Puts the lines and the wake-up into the epoll set.
  Expected<void> Watch() {
    if (auto added = Add(wake_fd_.fd(), kWakeUp); !added) return added;
    for (const auto& queue_pair : card_.queue_pairs()) {
      if (auto added = Add(queue_pair->interrupt_fd(), queue_pair->index()); !added) return added;
    }
    return {};
  }

 private:
  using ThreadedService::Add;
  static constexpr uint32_t kWakeUp = UINT32_MAX;
  static constexpr int kEventsMax = 64;
  // What one queue pair gets before the others have their turn.
  static constexpr size_t kTurn = 16 * kBurst;

  Expected<void> Add(int fd, uint32_t tag) {
    epoll_event event{.events = EPOLLIN, .data = {.u32 = tag}};
    if (::epoll_ctl(epoll_fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return Unexpected(SystemError("epoll_ctl on an interrupt line", errno));
    }
    return {};
  }

  void Run() override;
  void Serve(QueuePair& queue_pair);
  // Looks at all rings when it is time to, and decides whether to go on doing so.
  void RunWatchdog();
  void StartWatching();
  // Until a line rises, a wake-up, OnTime or the watchdog. Fills events_; returns how many.
  int Sleep();

  const UniqueFd epoll_fd_;
  std::array<epoll_event, kEventsMax> events_;
  std::vector<QueuePair*> unfinished_;  // disarmed, and perhaps not empty
  bool watching_ = false;               // a look is due at next_look_
  TimePoint next_look_{};
};

void InterruptService::Run() {
  for (const auto& queue_pair : card_.queue_pairs()) unfinished_.push_back(queue_pair.get());
  while (!stopping()) {
    std::vector<QueuePair*> turn = std::exchange(unfinished_, {});
    for (QueuePair* queue_pair : turn) Serve(*queue_pair);
    RunOnTime();
    if (stopping()) break;
    if (!watching_ && !BecomeIdle()) StartWatching();
    const int count = Sleep();
    bool submitted = !watching_ && !EndIdle();
    for (int i = 0; i < count; ++i) {
      const uint32_t tag = events_[static_cast<size_t>(i)].data.u32;
      if (tag == kWakeUp) {
        wake_fd_.Drain();
      } else {
        submitted = true;
        Serve(*card_.queue_pairs()[tag]);
      }
    }
    if (watching_) {
      RunWatchdog();
    } else if (submitted) {
      StartWatching();
    }
  }
  for (const auto& queue_pair : card_.queue_pairs()) queue_pair->DisarmInterrupt();
}

void InterruptService::Serve(QueuePair& queue_pair) {
  queue_pair.DisarmInterrupt();
  const size_t handled = Drain(queue_pair, kTurn);
  CountLook(handled);
  if (handled == kTurn || queue_pair.ArmInterrupt()) unfinished_.push_back(&queue_pair);
}

void InterruptService::RunWatchdog() {
  const TimePoint now = card_.clock().Now();
  if (now < next_look_) return;
  next_look_ = now + watchdog_interval();
  const size_t found = ServiceBase::Poll(0);
  CountLook(found);
  Add(rescued_, found);
  // Nothing to watch over until the next submit, which ends the idle state.
  watching_ = AnyInFlight();
}

void InterruptService::StartWatching() {
  watching_ = true;
  next_look_ = card_.clock().Now() + watchdog_interval();
}

int InterruptService::Sleep() {
  std::optional<TimePoint> until = next_on_time_;
  if (watching_ && (!until || next_look_ < *until)) until = next_look_;
  timespec timeout{};
  if (until && unfinished_.empty()) timeout = ToTimespec(*until - card_.clock().Now());
  const bool bounded = until || !unfinished_.empty();
  const int count = ::epoll_pwait2(epoll_fd_.get(), events_.data(), kEventsMax,
                                   bounded ? &timeout : nullptr, nullptr);
  GHOSTCARD_CHECK(count >= 0 || errno == EINTR, "epoll_pwait2");
  if (unfinished_.empty()) Add(wakeups_, 1);
  return std::max(count, 0);
}

Expected<void> Validate(const Card& card, const CompletionService::Options& options) {
  using std::chrono::milliseconds;
  if (!options.handler) return Unexpected("completion service: there is no handler");
  if (options.poll_interval < Duration::zero() || options.poll_interval > milliseconds(1000)) {
    return Unexpected("poll_interval: " + std::to_string(options.poll_interval.count()) +
                      " ns; 0 to 1 s");
  }
  if (options.watchdog_interval < milliseconds(1) ||
      options.watchdog_interval > milliseconds(60'000)) {
    return Unexpected("watchdog_interval: " + std::to_string(options.watchdog_interval.count()) +
                      " ns; 1 ms to 60 s");
  }
  if (options.mode != CompletionMode::kInline && card.transport_name() == "virtual") {
    return Unexpected("completion mode " + std::string(CompletionModeName(options.mode)) +
                      " has a thread of its own, but a virtual card is for one thread: inline");
  }
  return {};
}

}  // namespace

std::string_view CompletionModeName(CompletionMode mode) {
  switch (mode) {
    case CompletionMode::kInterrupt:
      return "interrupt";
    case CompletionMode::kPolling:
      return "polling";
    case CompletionMode::kInline:
      return "inline";
  }
  return "unknown";
}

Expected<std::unique_ptr<CompletionService>> CompletionService::Create(Card& card,
                                                                       Options options) {
  if (auto valid = Validate(card, options); !valid) return Unexpected(std::move(valid.error()));
  const CompletionMode mode = options.mode;
  card.SetInterrupts(mode == CompletionMode::kInterrupt);
  if (mode == CompletionMode::kInline) {
    return std::make_unique<InlineService>(card, std::move(options));
  }
  auto wake_fd = EventFd::Create();
  if (!wake_fd) return Unexpected(std::move(wake_fd.error()));
  if (mode == CompletionMode::kPolling) {
    auto service = std::make_unique<PollingService>(card, std::move(options), std::move(*wake_fd));
    service->Start();
    return service;
  }
  UniqueFd epoll_fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_fd.valid()) return Unexpected(SystemError("epoll_create1", errno));
  auto service = std::make_unique<InterruptService>(card, std::move(options), std::move(*wake_fd),
                                                    std::move(epoll_fd));
  if (auto watched = service->Watch(); !watched) return Unexpected(std::move(watched.error()));
  service->Start();
  return service;
}

}  // namespace hwsim
