// QueuePair: the host's interface to the card: it submits requests and pops completed ones.
//
// Threads: every method from any thread, except for those under "The card's side". Submits share
// one lock, pops another, so a submitter and a drainer never wait for each other.
// Ownership: of requests, see request.h. The queue pair belongs to its card.
// Limits: at most depth() requests in flight, that is accepted and not yet popped.
// fork: in a child, a submit to the parent's queue pair returns kError, and a pop returns nothing.
// The child creates a card of its own; it must not call the other methods.
#ifndef GHOSTCARD_HWSIM_RINGS_QUEUE_PAIR_H_
#define GHOSTCARD_HWSIM_RINGS_QUEUE_PAIR_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "hwsim/base/fork_guard.h"
#include "hwsim/base/mutex.h"
#include "hwsim/faults/fault_injector.h"
#include "hwsim/faults/fault_log.h"
#include "hwsim/operations/request.h"
#include "hwsim/rings/transport.h"

namespace hwsim::rings {

class QueuePair {
 public:
  struct Options {
    uint32_t index = 0;
    uint32_t depth = 64;
    faults::FaultInjector submit_faults;
    faults::FaultInjector list_faults;
    bool repeats = false;  // the card may duplicate a response
    // The log of the faults at submit, and the clock that dates its events. Null: no log. Both
    // outlive the queue pair.
    faults::FaultLog* fault_log = nullptr;
    const Clock* clock = nullptr;
  };
  QueuePair(Options options, std::unique_ptr<Channel> channel);
  ~QueuePair();
  QueuePair(const QueuePair&) = delete;
  QueuePair& operator=(const QueuePair&) = delete;

  // kOk: the card owns `request`. kAgain, kError: nothing happened; request.h says what the caller
  // does next.
  operations::SubmitStatus Submit(operations::Request& request);

  // The card owns the first `accepted` requests of the list. The caller keeps the others, which
  // were refused with `status`. kOk: all were accepted.
  struct [[nodiscard]] ListResult {
    size_t accepted = 0;
    operations::SubmitStatus status = operations::SubmitStatus::kOk;
  };
  // Submits one descriptor per request and rings the doorbell once for each 64 of them.
  ListResult Submit(std::span<operations::Request* const> requests);
  // Submits one batch descriptor for all requests that are accepted: one entry in the request ring
  // and one in the completion ring. Each member has a completion record of its own. PopCompleted
  // returns the members when the last of them is done.
  ListResult SubmitBatch(std::span<operations::Request* const> requests);

  // Takes completed requests, oldest first, up to out.size(). Returns how many: they belong to the
  // caller again and their slots are free. 0: none is ready.
  size_t PopCompleted(std::span<operations::Request*> out);

  // The interrupt line, for the thread that pops. The protocol: arm, pop once more, sleep; after
  // waking, disarm, pop until nothing is left, arm.
  int interrupt_fd() const;
  // Lets the line rise. True: completions wait already, so the caller pops instead of sleeping.
  [[nodiscard]] bool ArmInterrupt();
  // Keeps the line low, and makes a readable interrupt_fd() unreadable.
  void DisarmInterrupt();

  uint32_t index() const { return index_; }
  uint32_t depth() const { return depth_; }
  // seq_cst, like the addition in Submit. A thread announces that it will sleep and then reads
  // this count; a submitter submits and then looks for sleepers: one of the two sees the other.
  uint32_t in_flight() const { return in_flight_.load(std::memory_order_seq_cst); }

  // accepted == succeeded + failed + in_flight() while no method runs.
  struct Counts {
    uint64_t accepted = 0;
    uint64_t refused_again = 0;
    uint64_t refused_error = 0;
    uint64_t succeeded = 0;  // completed with kOk
    uint64_t failed = 0;     // completed with another status
    uint64_t doorbells = 0;  // pushes to the transport
    uint64_t repeats = 0;    // duplicated responses received and dropped
  };
  Counts counts() const;

  // Unless it is kOpen, every submit returns kError. kClosedForGood: the card is lost.
  enum class Admission : uint8_t { kOpen, kClosed, kClosedForGood };
  Admission admission() const { return admission_.load(std::memory_order_acquire); }

  // The card's side, for the card's driver only.
  Channel& channel() { return *channel_; }
  void SetAdmission(Admission admission) { admission_.store(admission, std::memory_order_release); }
  // Duplicated responses received so far.
  uint64_t repeats_taken() const { return repeats_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kListPushMax = 64;  // descriptors of a list sent at once
  static constexpr size_t kPopBurst = 64;     // descriptors taken from the channel at once

  // How the accepted requests of a list travel.
  enum class ListForm : uint8_t { kDescriptorEach, kOneBatch };

  // How many of `wanted` requests there is room for.
  size_t Room(size_t wanted) const GHOSTCARD_REQUIRES(submit_mutex_);
  // How many requests of the list may go, from the front: a fault may cut it.
  size_t RoomForList(std::span<operations::Request* const> requests)
      GHOSTCARD_REQUIRES(submit_mutex_);
  ListResult SubmitList(std::span<operations::Request* const> requests, ListForm form);
  // Prepares `request` for the card. `ahead`: requests that go with it and are not in flight yet.
  // Returns kOk, or the answer of a fault, and then the request stays the caller's.
  operations::SubmitStatus Admit(operations::Request& request, size_t ahead)
      GHOSTCARD_REQUIRES(submit_mutex_);
  // The answer of a fault to `request`; kOk: no fault strikes.
  operations::SubmitStatus SubmitFault(const operations::Request& request, size_t ahead)
      GHOSTCARD_REQUIRES(submit_mutex_);
  TimePoint Now() const { return clock_ != nullptr ? clock_->Now() : TimePoint{}; }
  void Log(const faults::Fault& fault, uint64_t number, operations::OperationKind operation) const;
  // Sends descriptors that stand for `requests` requests.
  void Push(std::span<const Descriptor> descriptors, size_t requests)
      GHOSTCARD_REQUIRES(submit_mutex_);
  // Sends admitted requests, at most kListPushMax, with a descriptor each.
  void PushEach(std::span<operations::Request* const> requests) GHOSTCARD_REQUIRES(submit_mutex_);
  // Sends admitted requests with one descriptor.
  void PushBatch(std::span<operations::Request* const> requests) GHOSTCARD_REQUIRES(submit_mutex_);
  // Counts `request`, which goes back to the caller.
  void HandBack(operations::Request& request) GHOSTCARD_REQUIRES(pop_mutex_);
  // Hands out members of the batch that was popped last. Returns how many.
  size_t PopBatchRest(std::span<operations::Request*> out) GHOSTCARD_REQUIRES(pop_mutex_);

  const uint32_t index_;
  const uint32_t depth_;
  const ForkGuard fork_guard_;
  const std::unique_ptr<Channel> channel_;
  const bool may_repeat_;
  faults::FaultLog* const fault_log_;
  const Clock* const clock_;

  // Raised under submit_mutex_, lowered under pop_mutex_. On a cache line of its own, since both
  // sides write it and the locks lie on other lines.
  alignas(64) std::atomic<uint32_t> in_flight_{0};
  // Written when the card goes down and comes up. On the line of the count, which a submit reads.
  std::atomic<Admission> admission_{Admission::kOpen};

  alignas(64) mutable Mutex submit_mutex_;
  faults::FaultInjector submit_faults_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  faults::FaultInjector list_faults_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  // A fault that strikes several submits in a row, and how many of them are left.
  std::optional<faults::Fault> burst_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  Counts submit_counts_ GHOSTCARD_GUARDED_BY(submit_mutex_);
  uint64_t numbers_ GHOSTCARD_GUARDED_BY(submit_mutex_) = 0;  // last Request::number

  alignas(64) mutable Mutex pop_mutex_;
  // Written under pop_mutex_. Relaxed: the count orders nothing else.
  std::atomic<uint64_t> repeats_{0};
  Counts pop_counts_ GHOSTCARD_GUARDED_BY(pop_mutex_);
  // Popped from the channel and not handed out yet, since the caller had no room.
  std::array<Descriptor, kPopBurst> popped_ GHOSTCARD_GUARDED_BY(pop_mutex_);
  size_t popped_next_ GHOSTCARD_GUARDED_BY(pop_mutex_) = 0;
  size_t popped_end_ GHOSTCARD_GUARDED_BY(pop_mutex_) = 0;
  operations::Request* batch_rest_ GHOSTCARD_GUARDED_BY(pop_mutex_) = nullptr;
};

}  // namespace hwsim::rings

#endif  // GHOSTCARD_HWSIM_RINGS_QUEUE_PAIR_H_
