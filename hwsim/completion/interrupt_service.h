// InterruptService: a dispatcher thread sleeps on the queue pairs' interrupt lines. When a line
// rises, it disarms the line, pops until the queue pair is empty, arms the line, looks once more
// and sleeps.
//
// A watchdog covers lost interrupts: while something is in flight, the thread looks at all queue
// pairs at the watchdog's interval. The watchdog starts at a submit that wakes the idle thread, or
// at an interrupt, and ends at a look after which nothing is in flight.
//
// Threads: as CompletionService says.
#ifndef GHOSTCARD_HWSIM_COMPLETION_INTERRUPT_SERVICE_H_
#define GHOSTCARD_HWSIM_COMPLETION_INTERRUPT_SERVICE_H_

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "hwsim/completion/service_thread.h"

namespace hwsim::completion {

class InterruptService final : public ThreadedService {
 public:
  // Makes the service and starts its thread. Fails when the process is out of descriptors.
  // Requires: `options` are within their bounds; `card` outlives the service and its interrupts are
  // on.
  static Expected<std::unique_ptr<CompletionService>> Create(card::Card& card, Options options);
  ~InterruptService() override { Stop(); }

 private:
  static constexpr uint32_t kWakeUp =
      UINT32_MAX;  // the tag of wake_fd_; others: a queue pair's index
  static constexpr int kEventsMax = 64;
  // The most requests that one queue pair gets handled before the other queue pairs have their
  // turn. No source: large enough to make turns rare.
  static constexpr size_t kTurnMax = 16 * kBurst;

  InterruptService(card::Card& card, Options options, EventFd wake_fd, UniqueFd epoll_fd);

  // Puts the wake-up and all interrupt lines into the epoll set.
  Expected<void> AddDescriptors();
  Expected<void> AddDescriptor(int fd, uint32_t tag);

  void Run() override;
  // Handles what the queue pair has and arms its line, or notes it in to_serve_.
  void Serve(rings::QueuePair& queue_pair);
  // Sleeps until a line rises, a wake-up, OnTime's deadline or the watchdog's look. Does not sleep
  // while to_serve_ has an entry. Fills events_; returns how many.
  int Sleep();
  // Serves the queue pairs of the first `count` events. Returns whether there was an interrupt.
  bool ServeEvents(int count);
  void StartWatchdog();
  // Looks at all queue pairs if the look is due, and ends the watchdog if nothing is in flight.
  void RunWatchdog();

  const UniqueFd epoll_fd_;
  std::array<epoll_event, kEventsMax> events_;
  std::vector<rings::QueuePair*>
      to_serve_;  // their lines are disarmed, and they may have completions
  bool watchdog_on_ = false;
  TimePoint next_look_{};  // while watchdog_on_
};

}  // namespace hwsim::completion

#endif  // GHOSTCARD_HWSIM_COMPLETION_INTERRUPT_SERVICE_H_
