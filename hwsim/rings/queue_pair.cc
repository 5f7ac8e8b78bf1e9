#include "hwsim/rings/queue_pair.h"

#include <algorithm>
#include <utility>

#include "hwsim/base/check.h"

namespace hwsim::rings {

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
  // Acquire, with the release of a pop: a slot that is seen free is free. The room can only grow
  // meanwhile, since submits hold the lock.
  return std::min<size_t>(wanted, depth_ - in_flight_.load(std::memory_order_acquire));
}

void QueuePair::Log(const faults::Fault& fault, uint64_t number,
                    operations::OperationKind operation) const {
  if (fault_log_ == nullptr) return;
  fault_log_->Append({.kind = fault.kind,
                      .rule = fault.rule,
                      .at = Now(),
                      .queue_pair = index_,
                      .request = number,
                      .operation = operation});
}

operations::SubmitStatus QueuePair::SubmitFault(const operations::Request& request, size_t ahead) {
  if (!burst_) {
    faults::FaultPass pass{.operation = request.kind,
                           .queue_pair = index_,
                           .in_flight = in_flight() + static_cast<uint32_t>(ahead) + 1};
    if (submit_faults_.looks_at_time()) pass.now = Now();
    burst_ = submit_faults_.At(pass);
  }
  if (!burst_) return operations::SubmitStatus::kOk;
  const faults::Fault fault = *burst_;
  if (--burst_->times == 0) burst_.reset();
  Log(fault, request.number, request.kind);
  return fault.kind == faults::FaultKind::kRingFull ? operations::SubmitStatus::kAgain
                                                    : operations::SubmitStatus::kError;
}

size_t QueuePair::RoomForList(std::span<operations::Request* const> requests) {
  const size_t room = Room(requests.size());
  if (list_faults_.empty() || room < 2) return room;
  faults::FaultPass pass{.operation = requests.front()->kind,
                         .queue_pair = index_,
                         .in_flight = in_flight() + static_cast<uint32_t>(room)};
  if (list_faults_.looks_at_time()) pass.now = Now();
  const std::optional<faults::Fault> fault = list_faults_.At(pass);
  if (!fault) return room;
  // At least one request goes and at least one stays; the log names the first that stays.
  const size_t part = 1 + fault->draw % (room - 1);
  Log(*fault, numbers_ + part + 1, requests[part]->kind);
  return part;
}

operations::SubmitStatus QueuePair::Admit(operations::Request& request, size_t ahead) {
  request.number = ++numbers_;
  if (!submit_faults_.empty()) {
    const operations::SubmitStatus status = SubmitFault(request, ahead);
    if (status != operations::SubmitStatus::kOk) return status;
  }
  request.status = operations::CompletionStatus::kPending;
  request.next_in_batch = nullptr;
  request.first_in_batch = nullptr;
  // Relaxed: the push releases it.
  request.done.store(false, std::memory_order_relaxed);
  return operations::SubmitStatus::kOk;
}

void QueuePair::Push(std::span<const Descriptor> descriptors, size_t requests) {
  // Before the push: after it, the requests may be popped at any moment. seq_cst: see in_flight().
  in_flight_.fetch_add(static_cast<uint32_t>(requests), std::memory_order_seq_cst);
  submit_counts_.accepted += requests;
  ++submit_counts_.doorbells;
  const size_t pushed = channel_->Push(descriptors);
  GHOSTCARD_CHECK(pushed == descriptors.size(),
                  "the request ring has no room for the depth of its queue pair");
}

operations::SubmitStatus QueuePair::Submit(operations::Request& request) {
  if (!fork_guard_.InCreator()) return operations::SubmitStatus::kError;
  MutexLock lock(submit_mutex_);
  if (admission() != Admission::kOpen) {
    ++submit_counts_.refused_error;
    return operations::SubmitStatus::kError;
  }
  if (Room(1) == 0) {
    ++submit_counts_.refused_again;
    return operations::SubmitStatus::kAgain;
  }
  if (const operations::SubmitStatus status = Admit(request, 0);
      status != operations::SubmitStatus::kOk) {
    ++(status == operations::SubmitStatus::kAgain ? submit_counts_.refused_again
                                                  : submit_counts_.refused_error);
    return status;
  }
  const Descriptor descriptor = Descriptor::One(request);
  Push(std::span(&descriptor, 1), 1);
  return operations::SubmitStatus::kOk;
}

QueuePair::ListResult QueuePair::Submit(std::span<operations::Request* const> requests) {
  return SubmitList(requests, ListForm::kDescriptorEach);
}

QueuePair::ListResult QueuePair::SubmitBatch(std::span<operations::Request* const> requests) {
  return SubmitList(requests, ListForm::kOneBatch);
}

QueuePair::ListResult QueuePair::SubmitList(std::span<operations::Request* const> requests,
                                            ListForm form) {
  if (!fork_guard_.InCreator()) return {.accepted = 0, .status = operations::SubmitStatus::kError};
  MutexLock lock(submit_mutex_);
  if (admission() != Admission::kOpen) {
    submit_counts_.refused_error += requests.size();
    return {.accepted = 0, .status = operations::SubmitStatus::kError};
  }
  const size_t room = RoomForList(requests);
  ListResult result;
  if (room < requests.size()) result.status = operations::SubmitStatus::kAgain;
  size_t pushed = 0;
  for (; result.accepted < room; ++result.accepted) {
    const size_t ahead = result.accepted - pushed;
    if (const operations::SubmitStatus status = Admit(*requests[result.accepted], ahead);
        status != operations::SubmitStatus::kOk) {
      result.status = status;
      break;
    }
    if (form == ListForm::kDescriptorEach && ahead + 1 == kListPushMax) {
      PushEach(requests.subspan(pushed, kListPushMax));
      pushed += kListPushMax;
    }
  }
  const auto rest = requests.subspan(pushed, result.accepted - pushed);
  if (!rest.empty()) {
    if (form == ListForm::kOneBatch) {
      PushBatch(rest);
    } else {
      PushEach(rest);
    }
  }
  const size_t refused = requests.size() - result.accepted;
  if (result.status == operations::SubmitStatus::kAgain) submit_counts_.refused_again += refused;
  if (result.status == operations::SubmitStatus::kError) submit_counts_.refused_error += refused;
  return result;
}

void QueuePair::PushEach(std::span<operations::Request* const> requests) {
  std::array<Descriptor, kListPushMax> descriptors;
  for (size_t i = 0; i < requests.size(); ++i) descriptors[i] = Descriptor::One(*requests[i]);
  Push(std::span(descriptors).first(requests.size()), requests.size());
}

void QueuePair::PushBatch(std::span<operations::Request* const> requests) {
  operations::Request& first = *requests.front();
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i]->first_in_batch = &first;
    if (i != 0) requests[i - 1]->next_in_batch = requests[i];
  }
  first.batch_open = static_cast<uint32_t>(requests.size());
  const Descriptor descriptor = Descriptor::Batch(first);
  Push(std::span(&descriptor, 1), requests.size());
}

void QueuePair::HandBack(operations::Request& request) {
  // Acquire, with the card's release. The channel has handed the request over already.
  GHOSTCARD_CHECK(request.done.load(std::memory_order_acquire),
                  "a completion for a request that is not done");
  ++(request.status == operations::CompletionStatus::kOk ? pop_counts_.succeeded
                                                         : pop_counts_.failed);
}

size_t QueuePair::PopBatchRest(std::span<operations::Request*> out) {
  size_t count = 0;
  while (batch_rest_ != nullptr && count < out.size()) {
    operations::Request& request = *batch_rest_;
    batch_rest_ = request.next_in_batch;
    HandBack(request);
    out[count++] = &request;
  }
  return count;
}

size_t QueuePair::PopCompleted(std::span<operations::Request*> out) {
  // Polling a queue pair with nothing in flight costs one load.
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
  // Release: a submitter that sees the room sees the requests handed back. On x86 seq_cst costs the
  // same.
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
    // Pops before submits: what was popped was accepted before, so the counts agree.
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

}  // namespace hwsim::rings
