#include "hwsim/queue_pair.h"

#include <algorithm>
#include <utility>

#include "hwsim/check.h"

namespace hwsim {

QueuePair::QueuePair(Options options, std::unique_ptr<Channel> channel)
    : index_(options.index),
      depth_(options.depth),
      channel_(std::move(channel)),
      may_repeat_(options.repeats),
      fault_log_(options.fault_log),
      clock_(options.clock),
      submit_faults_(std::move(options.submit_faults)),
      list_faults_(std::move(options.list_faults)) {}

QueuePair::~QueuePair() = default;

size_t QueuePair::Room(size_t wanted) const {
  // Acquire: with the release of a pop, so that a slot is free once it is seen to be.
  // Only submits add, under the lock that we hold, so the room can but grow.
  return std::min<size_t>(wanted, depth_ - in_flight_.load(std::memory_order_acquire));
}

void QueuePair::Log(const Fault& fault, uint64_t number, OperationKind operation) const {
  if (fault_log_ == nullptr) return;
  fault_log_->Append({.kind = fault.kind,
                      .rule = fault.rule,
                      .at = Now(),
                      .queue_pair = index_,
                      .request = number,
                      .operation = operation});
}

SubmitStatus QueuePair::SubmitFault(const Request& request, size_t ahead) {
  if (!burst_) {
    FaultPass pass{.operation = request.kind,
                   .queue_pair = index_,
                   .in_flight = in_flight() + static_cast<uint32_t>(ahead) + 1};
    if (submit_faults_.looks_at_time()) pass.now = Now();
    burst_ = submit_faults_.At(pass);
  }
  if (!burst_) return SubmitStatus::kOk;
  const Fault fault = *burst_;
  if (--burst_->times == 0) burst_.reset();
  Log(fault, request.number, request.kind);
  return fault.kind == FaultKind::kRingFull ? SubmitStatus::kAgain : SubmitStatus::kError;
}

size_t QueuePair::RoomForList(std::span<Request* const> requests) {
  const size_t room = Room(requests.size());
  if (list_faults_.empty() || room < 2) return room;
  FaultPass pass{.operation = requests.front()->kind,
                 .queue_pair = index_,
                 .in_flight = in_flight() + static_cast<uint32_t>(room)};
  if (list_faults_.looks_at_time()) pass.now = Now();
  const std::optional<Fault> fault = list_faults_.At(pass);
  if (!fault) return room;
  // At least one goes, and at least one does not: the first of those is the one that is hit.
  const size_t part = 1 + fault->draw % (room - 1);
  Log(*fault, numbers_ + part + 1, requests[part]->kind);
  return part;
}

SubmitStatus QueuePair::Admit(Request& request, size_t ahead) {
  request.number = ++numbers_;
  if (!submit_faults_.empty()) {
    const SubmitStatus status = SubmitFault(request, ahead);
    if (status != SubmitStatus::kOk) return status;
  }
  request.status = CompletionStatus::kPending;
  request.next_in_batch = nullptr;
  request.first_in_batch = nullptr;
  // Relaxed: the push hands the request over, this with it.
  request.done.store(false, std::memory_order_relaxed);
  return SubmitStatus::kOk;
}

void QueuePair::Push(std::span<const Descriptor> descriptors, size_t requests) {
  // Before the push, behind which the request may be popped at any moment. seq_cst: see
  // in_flight().
  in_flight_.fetch_add(static_cast<uint32_t>(requests), std::memory_order_seq_cst);
  submit_counts_.accepted += requests;
  ++submit_counts_.doorbells;
  const size_t pushed = channel_->Push(descriptors);
  GHOSTCARD_CHECK(pushed == descriptors.size(), "a ring holds as many as its queue pair is deep");
}

SubmitStatus QueuePair::Submit(Request& request) {
  if (!fork_guard_.InCreator()) return SubmitStatus::kError;
  MutexLock lock(submit_mutex_);
  if (refusing()) {
    ++submit_counts_.refused_error;
    return SubmitStatus::kError;
  }
  if (Room(1) == 0) {
    ++submit_counts_.refused_again;
    return SubmitStatus::kAgain;
  }
  if (const SubmitStatus status = Admit(request, 0); status != SubmitStatus::kOk) {
    ++(status == SubmitStatus::kAgain ? submit_counts_.refused_again
                                      : submit_counts_.refused_error);
    return status;
  }
  const Descriptor descriptor = Descriptor::One(request);
  Push(std::span(&descriptor, 1), 1);
  return SubmitStatus::kOk;
}

QueuePair::ListResult QueuePair::Submit(std::span<Request* const> requests) {
  if (!fork_guard_.InCreator()) return {.accepted = 0, .status = SubmitStatus::kError};
  MutexLock lock(submit_mutex_);
  if (refusing()) {
    submit_counts_.refused_error += requests.size();
    return {.accepted = 0, .status = SubmitStatus::kError};
  }
  const size_t room = RoomForList(requests);
  ListResult result;
  if (room < requests.size()) result.status = SubmitStatus::kAgain;
  // What does not fit in here goes with a push of its own.
  std::array<Descriptor, 64> descriptors;
  size_t prepared = 0;
  for (; result.accepted < room; ++result.accepted) {
    Request& request = *requests[result.accepted];
    if (const SubmitStatus status = Admit(request, prepared); status != SubmitStatus::kOk) {
      result.status = status;
      break;
    }
    descriptors[prepared++] = Descriptor::One(request);
    if (prepared == descriptors.size()) Push(descriptors, std::exchange(prepared, 0));
  }
  if (prepared != 0) Push(std::span(descriptors).first(prepared), prepared);
  const size_t refused = requests.size() - result.accepted;
  if (result.status == SubmitStatus::kAgain) submit_counts_.refused_again += refused;
  if (result.status == SubmitStatus::kError) submit_counts_.refused_error += refused;
  return result;
}

QueuePair::ListResult QueuePair::SubmitBatch(std::span<Request* const> requests) {
  if (!fork_guard_.InCreator()) return {.accepted = 0, .status = SubmitStatus::kError};
  MutexLock lock(submit_mutex_);
  if (refusing()) {
    submit_counts_.refused_error += requests.size();
    return {.accepted = 0, .status = SubmitStatus::kError};
  }
  const size_t room = RoomForList(requests);
  ListResult result;
  if (room < requests.size()) result.status = SubmitStatus::kAgain;
  Request* last = nullptr;
  for (; result.accepted < room; ++result.accepted) {
    Request& request = *requests[result.accepted];
    if (const SubmitStatus status = Admit(request, result.accepted); status != SubmitStatus::kOk) {
      result.status = status;
      break;
    }
    request.first_in_batch = requests.front();
    if (last != nullptr) last->next_in_batch = &request;
    last = &request;
  }
  if (result.accepted != 0) {
    Request& first = *requests.front();
    first.batch_open = static_cast<uint32_t>(result.accepted);
    const Descriptor descriptor = Descriptor::Batch(first);
    Push(std::span(&descriptor, 1), result.accepted);
  }
  const size_t refused = requests.size() - result.accepted;
  if (result.status == SubmitStatus::kAgain) submit_counts_.refused_again += refused;
  if (result.status == SubmitStatus::kError) submit_counts_.refused_error += refused;
  return result;
}

void QueuePair::HandBack(Request& request) {
  // Acquire: with the card's release, the second of two hand-overs of the same thing.
  GHOSTCARD_CHECK(request.done.load(std::memory_order_acquire),
                  "a completion for a request that is not done");
  ++(request.status == CompletionStatus::kOk ? pop_counts_.succeeded : pop_counts_.failed);
}

size_t QueuePair::PopBatchRest(std::span<Request*> out) {
  size_t count = 0;
  while (batch_rest_ != nullptr && count < out.size()) {
    Request& request = *batch_rest_;
    batch_rest_ = request.next_in_batch;
    HandBack(request);
    out[count++] = &request;
  }
  return count;
}

size_t QueuePair::PopCompleted(std::span<Request*> out) {
  // A queue pair at rest costs a poller one load.
  if ((in_flight() == 0 && !may_repeat_) || !fork_guard_.InCreator()) return 0;
  MutexLock lock(pop_mutex_);
  size_t count = PopBatchRest(out);
  while (count < out.size()) {
    if (popped_next_ == popped_end_) {
      popped_next_ = 0;
      popped_end_ =
          channel_->Pop(std::span(popped_).first(std::min(out.size() - count, kPopBurst)));
      if (popped_end_ == 0) break;
    }
    const Descriptor descriptor = popped_[popped_next_++];
    if (descriptor.is_repeat()) {
      repeats_.store(repeats_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else if (descriptor.is_batch()) {
      batch_rest_ = descriptor.request();
      count += PopBatchRest(out.subspan(count));
    } else {
      HandBack(*descriptor.request());
      out[count++] = descriptor.request();
    }
  }
  // Release: whoever sees the room sees the requests handed back. seq_cst on x86 costs the same.
  if (count != 0) in_flight_.fetch_sub(static_cast<uint32_t>(count), std::memory_order_seq_cst);
  return count;
}

int QueuePair::interrupt_fd() const { return channel_->interrupt_fd(); }

bool QueuePair::ArmInterrupt() {
  MutexLock lock(pop_mutex_);
  const bool waiting = channel_->Arm();
  return waiting || batch_rest_ != nullptr || popped_next_ != popped_end_;
}

void QueuePair::DisarmInterrupt() {
  MutexLock lock(pop_mutex_);
  channel_->Disarm();
}

QueuePair::Counts QueuePair::counts() const {
  Counts counts;
  {
    // Pops first: what has been popped was accepted before.
    MutexLock lock(pop_mutex_);
    counts = pop_counts_;
    counts.repeats = repeats_taken();
  }
  MutexLock lock(submit_mutex_);
  counts.accepted = submit_counts_.accepted;
  counts.refused_again = submit_counts_.refused_again;
  counts.refused_error = submit_counts_.refused_error;
  counts.doorbells = submit_counts_.doorbells;
  return counts;
}

}  // namespace hwsim
