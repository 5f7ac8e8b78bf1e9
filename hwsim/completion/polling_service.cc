#include "hwsim/completion/polling_service.h"

#include <poll.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "hwsim/base/thread_timing.h"

namespace hwsim::completion {

Expected<std::unique_ptr<CompletionService>> PollingService::Create(card::Card& card,
                                                                    Options options) {
  auto wake_fd = EventFd::Create();
  if (!wake_fd) return Unexpected(std::move(wake_fd.error()));
  std::unique_ptr<PollingService> service(
      new PollingService(card, std::move(options), std::move(*wake_fd)));
  service->Start();
  return service;
}

void PollingService::Run() {
  while (!stopping()) {
    CountPoll(Poll(0));
    RunOnTime();
    if (stopping()) return;
    if (!AnyInFlight() && BecomeIdle()) {
      Sleep(std::nullopt);
      EndIdle();
    } else if (const Duration interval = poll_interval(); interval != Duration::zero()) {
      Sleep(interval);
    } else {
      std::this_thread::yield();  // without a pause, but the submitter may need this processor
    }
  }
}

void PollingService::Sleep(std::optional<Duration> time_max) {
  if (next_on_time_) {
    const Duration until = *next_on_time_ - card_.clock().Now();
    time_max = time_max ? std::min(*time_max, until) : until;
  }
  const timespec timeout = ToTimespec(time_max.value_or(Duration::zero()));
  pollfd poll_fd{.fd = wake_fd_.fd(), .events = POLLIN, .revents = 0};
  if (::ppoll(&poll_fd, 1, time_max ? &timeout : nullptr, nullptr) > 0) wake_fd_.Drain();
  wakeups_.Add(1);
}

}  // namespace hwsim::completion
