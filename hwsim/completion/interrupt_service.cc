#include "hwsim/completion/interrupt_service.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include "hwsim/base/check.h"
#include "hwsim/base/thread_timing.h"

namespace hwsim::completion {

Expected<std::unique_ptr<CompletionService>> InterruptService::Create(card::Card& card,
                                                                      Options options) {
  auto wake_fd = EventFd::Create();
  if (!wake_fd) return Unexpected(std::move(wake_fd.error()));
  UniqueFd epoll_fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_fd.valid()) return Unexpected(SystemError("epoll_create1", errno));
  std::unique_ptr<InterruptService> service(
      new InterruptService(card, std::move(options), std::move(*wake_fd), std::move(epoll_fd)));
  if (auto added = service->AddDescriptors(); !added) return Unexpected(std::move(added.error()));
  service->Start();
  return service;
}

InterruptService::InterruptService(card::Card& card, Options options, EventFd wake_fd,
                                   UniqueFd epoll_fd)
    : ThreadedService(card, std::move(options), std::move(wake_fd)),
      epoll_fd_(std::move(epoll_fd)) {}

Expected<void> InterruptService::AddDescriptors() {
  if (auto added = AddDescriptor(wake_fd_.fd(), kWakeUp); !added) return added;
  for (const auto& queue_pair : card_.queue_pairs()) {
    if (auto added = AddDescriptor(queue_pair->interrupt_fd(), queue_pair->index()); !added) {
      return added;
    }
  }
  return {};
}

Expected<void> InterruptService::AddDescriptor(int fd, uint32_t tag) {
  epoll_event event{.events = EPOLLIN, .data = {.u32 = tag}};
  if (::epoll_ctl(epoll_fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return Unexpected(SystemError("epoll_ctl on an interrupt line", errno));
  }
  return {};
}

void InterruptService::Run() {
  for (const auto& queue_pair : card_.queue_pairs()) to_serve_.push_back(queue_pair.get());
  while (!stopping()) {
    std::vector<rings::QueuePair*> turn = std::exchange(to_serve_, {});
    for (rings::QueuePair* queue_pair : turn) Serve(*queue_pair);
    RunOnTime();
    if (stopping()) break;
    if (!watchdog_on_ && !BecomeIdle()) StartWatchdog();
    const int count = Sleep();
    bool submitted = !watchdog_on_ && !EndIdle();
    if (ServeEvents(count)) submitted = true;  // what was completed had been submitted
    if (watchdog_on_) {
      RunWatchdog();
    } else if (submitted) {
      StartWatchdog();
    }
  }
  for (const auto& queue_pair : card_.queue_pairs()) queue_pair->DisarmInterrupt();
}

bool InterruptService::ServeEvents(int count) {
  bool interrupted = false;
  for (int i = 0; i < count; ++i) {
    const uint32_t tag = events_[static_cast<size_t>(i)].data.u32;
    if (tag == kWakeUp) {
      wake_fd_.Drain();
    } else {
      interrupted = true;
      Serve(*card_.queue_pairs()[tag]);
    }
  }
  return interrupted;
}

void InterruptService::Serve(rings::QueuePair& queue_pair) {
  queue_pair.DisarmInterrupt();
  const size_t handled = Drain(queue_pair, kTurnMax);
  CountPoll(handled);
  if (handled == kTurnMax || queue_pair.ArmInterrupt()) to_serve_.push_back(&queue_pair);
}

void InterruptService::RunWatchdog() {
  const TimePoint now = card_.clock().Now();
  if (now < next_look_) return;
  next_look_ = now + watchdog_interval();
  const size_t found = Poll(0);
  CountPoll(found);
  rescued_.Add(found);
  // With nothing in flight there is nothing to lose until the next submit, which ends the idle
  // state and starts the watchdog.
  watchdog_on_ = AnyInFlight();
}

void InterruptService::StartWatchdog() {
  watchdog_on_ = true;
  next_look_ = card_.clock().Now() + watchdog_interval();
}

int InterruptService::Sleep() {
  std::optional<TimePoint> until = next_on_time_;
  if (watchdog_on_ && (!until || next_look_ < *until)) until = next_look_;
  timespec timeout{};
  if (until && to_serve_.empty()) timeout = ToTimespec(*until - card_.clock().Now());
  const bool bounded = until || !to_serve_.empty();
  const int count = ::epoll_pwait2(epoll_fd_.get(), events_.data(), kEventsMax,
                                   bounded ? &timeout : nullptr, nullptr);
  GHOSTCARD_CHECK(count >= 0 || errno == EINTR, "epoll_pwait2");
  if (to_serve_.empty()) wakeups_.Add(1);
  return std::max(count, 0);
}

}  // namespace hwsim::completion
