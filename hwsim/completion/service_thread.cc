#include "hwsim/completion/service_thread.h"

#include <sys/prctl.h>

#include <utility>

namespace hwsim::completion {

ThreadedService::ThreadedService(card::Card& card, Options options, EventFd wake_fd)
    : ServiceBase(card, std::move(options)), wake_fd_(std::move(wake_fd)) {}

void ThreadedService::NoteSubmitted() {
  // seq_cst, like Submit's count and in_flight(). The service's thread sets `idle_` and then looks
  // for requests in flight. Either it sees this request, or this load sees the thread idle.
  if (idle_.load(std::memory_order_seq_cst) && idle_.exchange(false, std::memory_order_seq_cst)) {
    wake_fd_.Signal();
  }
}

void ThreadedService::Wake() {
  // Only the first of several wakers makes the system call. The service's thread drains the
  // eventfd before it clears the flag.
  if (!wake_.exchange(true, std::memory_order_seq_cst)) wake_fd_.Signal();
}

CompletionService::Stats ThreadedService::stats() const {
  return {.wakeups = wakeups_.value(),
          .polls = polls_.value(),
          .empty_polls = empty_polls_.value(),
          .rescued = rescued_.value()};
}

void ThreadedService::Start() {
  thread_ = std::make_unique<std::thread>([this] {
    // By default the kernel may delay a thread's timers by 50 us, to serve several at once.
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    Run();
  });
}

void ThreadedService::Stop() {
  if (!thread_) return;
  if (!fork_guard_.InCreator()) {
    (void)thread_.release();
    return;
  }
  stopping_.store(true, std::memory_order_relaxed);  // Wake() orders it
  Wake();
  thread_->join();
}

void ThreadedService::CountPoll(size_t found) {
  polls_.Add(1);
  if (found == 0) empty_polls_.Add(1);
}

void ThreadedService::RunOnTime() {
  const bool asked = wake_.exchange(false, std::memory_order_seq_cst);
  if (!options_.on_time) return;
  if (!asked && !next_on_time_) return;
  const TimePoint now = card_.clock().Now();
  if (asked || *next_on_time_ <= now) next_on_time_ = options_.on_time(now);
}

bool ThreadedService::BecomeIdle() {
  idle_.store(true, std::memory_order_seq_cst);
  if (!AnyInFlight()) return true;
  idle_.store(false, std::memory_order_seq_cst);
  return false;
}

bool ThreadedService::EndIdle() { return idle_.exchange(false, std::memory_order_seq_cst); }

}  // namespace hwsim::completion
