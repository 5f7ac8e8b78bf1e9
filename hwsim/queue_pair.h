// QueuePair: where the host hands requests to the card and gets them back.
//
// Threads: every method from any thread. Submits go through one lock, pops
// through another, so a submitter and a drainer never wait for each other.
// Ownership: see request.h. The queue pair belongs to its card.
// Limits: at most depth() requests in flight: accepted and not yet popped.
// fork: a child that submits to its parent's queue pair gets kError, and pops
// nothing; it makes a card of its own.
#ifndef GHOSTCARD_HWSIM_QUEUE_PAIR_H_
#define GHOSTCARD_HWSIM_QUEUE_PAIR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "hwsim/fork_guard.h"
#include "hwsim/model/fault_plan.h"
#include "hwsim/mutex.h"
#include "hwsim/request.h"
#include "hwsim/rings/transport.h"

namespace hwsim {

class QueuePair {
 public:
  struct Options {
    uint32_t index = 0;
    uint32_t depth = 64;
    FaultInjector submit_faults;
  };
  QueuePair(Options options, std::unique_ptr<Channel> channel);
  ~QueuePair();
  QueuePair(const QueuePair&) = delete;
  QueuePair& operator=(const QueuePair&) = delete;

  // kOk: the card owns `request`; kAgain, kError: nothing happened (request.h says
  // what to do next).
  SubmitStatus Submit(Request& request);

  // How much of a list went: `accepted` requests from the front are the card's,
  // the rest the caller's, refused with `status` (kOk when all went).
  struct [[nodiscard]] ListResult {
    size_t accepted = 0;
    SubmitStatus status = SubmitStatus::kOk;
  };
  // One descriptor each, one doorbell for all.
  ListResult Submit(std::span<Request* const> requests);
  // One batch descriptor for all that are accepted: one ring entry there and one
  // completion entry back. Each member has its own completion record; all come
  // back from PopCompleted when the last is done.
  ListResult SubmitBatch(std::span<Request* const> requests);

  // Takes completed requests, oldest first, up to out.size(); they are the
  // caller's again and their slots are free. 0: none is ready.
  size_t PopCompleted(std::span<Request*> out);

  // The interrupt line, for whoever drains (transport.h states the protocol:
  // arm, look once more, sleep; on waking disarm, pop until empty, arm).
  int interrupt_fd() const;
  [[nodiscard]] bool ArmInterrupt();
  void DisarmInterrupt();

  uint32_t index() const { return index_; }
  uint32_t depth() const { return depth_; }
  uint32_t in_flight() const { return in_flight_.load(std::memory_order_acquire); }

  // accepted == succeeded + failed + in_flight() at any moment of rest.
  struct Counts {
    uint64_t accepted = 0;
    uint64_t refused_again = 0;
    uint64_t refused_error = 0;
    uint64_t succeeded = 0;  // completed with kOk
    uint64_t failed = 0;     // completed with another status
    uint64_t doorbells = 0;  // pushes to the transport
  };
  Counts counts() const;

  // The card's end. Service thread only.
  Channel& channel() { return *channel_; }

 private:
  const uint32_t index_;
  const uint32_t depth_;
  const ForkGuard fork_guard_;
  const std::unique_ptr<Channel> channel_;

  // Added to under submit_mutex_, taken from under pop_mutex_.
  std::atomic<uint32_t> in_flight_{0};

  mutable Mutex submit_mutex_;
  FaultInjector submit_faults_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  Counts submit_counts_ GHOSTCARD_GUARDED_BY(submit_mutex_);

  mutable Mutex pop_mutex_;
  Counts pop_counts_ GHOSTCARD_GUARDED_BY(pop_mutex_);
  Request* batch_rest_ GHOSTCARD_GUARDED_BY(pop_mutex_) = nullptr;  // of a batch popped in part
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_QUEUE_PAIR_H_
