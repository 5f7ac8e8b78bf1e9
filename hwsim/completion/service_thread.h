// ThreadedService: what the completion services with a thread share: starting, waking and ending
// the thread, running OnTime on it, and the counts.
//
// A derived class implements Run() and calls Stop() in its destructor. Its owner calls Start()
// once, after construction.
//
// Threads: public methods from any thread except Start(), which belongs to the creator. Protected
// methods belong to the service's thread, except Stop().
// Time: the thread's timers have no slack, so a sleep ends within the kernel's own precision.
#ifndef GHOSTCARD_HWSIM_COMPLETION_SERVICE_THREAD_H_
#define GHOSTCARD_HWSIM_COMPLETION_SERVICE_THREAD_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>

#include "hwsim/base/counter.h"
#include "hwsim/base/fd.h"
#include "hwsim/base/fork_guard.h"
#include "hwsim/completion/service_base.h"

namespace hwsim::completion {

class ThreadedService : public ServiceBase {
 public:
  ThreadedService(card::Card& card, Options options, EventFd wake_fd);

  void NoteSubmitted() override;
  void Wake() override;
  Stats stats() const override;

  // Starts the thread. Not in the constructor, because the thread calls Run().
  void Start();

 protected:
  // The thread's work. Returns soon after stopping() becomes true.
  virtual void Run() = 0;

  // Ends and joins the thread, if it was started. In a forked child the thread does not exist:
  // Stop() only lets go of it. Requires: the destructor of the derived class calls it first.
  void Stop();
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  // Counts one look for completions that found `found` of them.
  void CountPoll(size_t found);
  // Runs OnTime if it is due or Wake() asked for it.
  void RunOnTime();
  // Announces a sleep that only OnTime's deadline bounds. Returns true when the thread may sleep:
  // NoteSubmitted() and Wake() end the sleep. Returns false when something is in flight.
  bool BecomeIdle();
  // Ends what BecomeIdle() began. Returns false when a submit ended it already.
  bool EndIdle();

  const EventFd wake_fd_;  // readable: the thread has to wake
  std::optional<TimePoint> next_on_time_;
  Counter wakeups_;
  Counter rescued_;

 private:
  Counter polls_;
  Counter empty_polls_;
  const ForkGuard fork_guard_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> wake_{true};  // true at first: OnTime has yet to say when it is due
  std::atomic<bool> idle_{false};
  std::unique_ptr<std::thread> thread_;  // null: not started
};

}  // namespace hwsim::completion

#endif  // GHOSTCARD_HWSIM_COMPLETION_SERVICE_THREAD_H_
