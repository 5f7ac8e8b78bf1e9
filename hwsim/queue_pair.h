// QueuePair: where the host hands requests to the card and gets them back.
//
// Threads: every method from any thread. Submits go through one lock, pops
// through another, so a submitter and a drainer never wait for each other.
// Ownership: see request.h. The queue pair belongs to its card.
// Limits: at most depth() requests in flight: accepted and not yet popped.
// fork: a child that submits to its parent's queue pair gets kError, and pops
// nothing; it makes a card of its own. Arming and counting are not for it.
#ifndef GHOSTCARD_HWSIM_QUEUE_PAIR_H_
#define GHOSTCARD_HWSIM_QUEUE_PAIR_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "hwsim/fork_guard.h"
#include "hwsim/model/fault_injector.h"
#include "hwsim/model/fault_log.h"
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
    FaultInjector list_faults;
    bool repeats = false;  // the card may send a response that was had before
    // Where faults at submit are logged, and the clock that dates them; null: nowhere. Both
    // outlive the queue pair.
    FaultLog* fault_log = nullptr;
    const Clock* clock = nullptr;
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
  // seq_cst, as is what Submit adds: a thread that says it will sleep and then looks here
  // sees the request of a submitter that looked for sleepers after its Submit.
  uint32_t in_flight() const { return in_flight_.load(std::memory_order_seq_cst); }

  // accepted == succeeded + failed + in_flight() at any moment of rest.
  struct Counts {
    uint64_t accepted = 0;
    uint64_t refused_again = 0;
    uint64_t refused_error = 0;
    uint64_t succeeded = 0;  // completed with kOk
    uint64_t failed = 0;     // completed with another status
    uint64_t doorbells = 0;  // pushes to the transport
    uint64_t repeats = 0;    // responses that came once more, and were dropped
  };
  Counts counts() const;

  // Whether the card is down: every Submit answers kError.
  bool refusing() const { return refusing_.load(std::memory_order_acquire); }

  // The card's end. Service thread only.
  Channel& channel() { return *channel_; }
  void SetRefusing(bool refusing) { refusing_.store(refusing, std::memory_order_release); }
  // Responses that came once more, so far.
  uint64_t repeats_taken() const { return repeats_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kPopBurst = 64;  // descriptors taken from the channel at once

  // How many of `wanted` requests there is room for, from the front.
  size_t Room(size_t wanted) const GHOSTCARD_REQUIRES(submit_mutex_);
  // The same for a list, of which a fault may take a part only.
  size_t RoomForList(std::span<Request* const> requests) GHOSTCARD_REQUIRES(submit_mutex_);
  // kOk: no fault strikes `request`, and it is the card's now; else what the fault answers.
  // `ahead` others go with it and are not in flight yet.
  SubmitStatus Admit(Request& request, size_t ahead) GHOSTCARD_REQUIRES(submit_mutex_);
  // What a fault answers instead; none strikes: kOk.
  SubmitStatus SubmitFault(const Request& request, size_t ahead) GHOSTCARD_REQUIRES(submit_mutex_);
  TimePoint Now() const { return clock_ != nullptr ? clock_->Now() : TimePoint{}; }
  void Log(const Fault& fault, uint64_t number, OperationKind operation) const;
  // Sends descriptors that stand for `requests` requests.
  void Push(std::span<const Descriptor> descriptors, size_t requests)
      GHOSTCARD_REQUIRES(submit_mutex_);
  // Hands `request` out.
  void HandBack(Request& request) GHOSTCARD_REQUIRES(pop_mutex_);
  // Hands out members of the batch that is at hand. Returns how many.
  size_t PopBatchRest(std::span<Request*> out) GHOSTCARD_REQUIRES(pop_mutex_);

  const uint32_t index_;
  const uint32_t depth_;
  const ForkGuard fork_guard_;
  const std::unique_ptr<Channel> channel_;
  const bool may_repeat_;
  FaultLog* const fault_log_;
  const Clock* const clock_;

  // Added to under submit_mutex_, taken from under pop_mutex_. A line of its own: both
  // sides write it, and neither's lock should suffer for it.
  alignas(64) std::atomic<uint32_t> in_flight_{0};
  // Written when the card goes down and comes up. Beside the count, which a submit reads anyway.
  std::atomic<bool> refusing_{false};

  alignas(64) mutable Mutex submit_mutex_;
  FaultInjector submit_faults_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  FaultInjector list_faults_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  // A fault that goes on: the submits that it still strikes.
  std::optional<Fault> burst_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  Counts submit_counts_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  uint64_t numbers_ GHOSTCARD_GUARDED_BY(submit_mutex_) = 0;  // given to requests so far

  alignas(64) mutable Mutex pop_mutex_;
  std::atomic<uint64_t> repeats_{0};  // written under pop_mutex_; relaxed: it stands alone
  Counts pop_counts_ GHOSTCARD_GUARDED_BY(pop_mutex_);
  // Popped from the channel and not handed out yet: more than the caller had room for.
  std::array<Descriptor, kPopBurst> popped_ GHOSTCARD_GUARDED_BY(pop_mutex_);
  size_t popped_next_ GHOSTCARD_GUARDED_BY(pop_mutex_) = 0;
  size_t popped_end_ GHOSTCARD_GUARDED_BY(pop_mutex_) = 0;
  Request* batch_rest_ GHOSTCARD_GUARDED_BY(pop_mutex_) = nullptr;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_QUEUE_PAIR_H_
