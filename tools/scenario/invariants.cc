#include "tools/scenario/invariants.h"

#include <algorithm>
#include <span>
#include <utility>

#include "hwsim/base/fd.h"

namespace tools::scenario {

using engine::Outcome;
using engine::RetryPolicy;
using hwsim::faults::FaultKind;
using hwsim::model::CardState;
using hwsim::operations::CompletionStatus;

namespace {

static_assert(hwsim::faults::kFaultKindCount <= 32);
uint32_t BitOf(FaultKind kind) { return uint32_t{1} << static_cast<uint32_t>(kind); }
uint64_t KeyOf(uint32_t queue_pair, uint64_t number) { return uint64_t{queue_pair} << 48 | number; }

bool IsWaitFdReadable(const SimulatedJob& job) {
  int fd = -1;
  return job.context->CopyWaitFds(std::span(&fd, 1)) != 0 && hwsim::IsReadable(fd);
}

}  // namespace

void Invariants::Start(const hwsim::card::Card& card) {
  card_ = &card;
  space_queues_.resize(card.queue_pairs().size());
}

void Invariants::Break(const SimulatedJob& job, const std::string& rule) const {
  on_broken_("job " + std::to_string(job.index) + ", operation " + std::to_string(job.number) +
             ": " + rule);
}

void Invariants::TakeFaults() {
  if (card_->fault_log().total() == faults_taken_) return;
  for (const hwsim::faults::FaultEvent& fault : card_->fault_log().Events(faults_taken_)) {
    ++faults_taken_;
    ++fault_counts_[static_cast<size_t>(fault.kind)];
    if (fault.request != hwsim::faults::FaultEvent::kNoRequest) {
      faults_of_request_[KeyOf(fault.queue_pair, fault.request)] |= BitOf(fault.kind);
    }
    if (fault.kind == FaultKind::kCardReset || fault.kind == FaultKind::kCardLost) {
      was_reset_ = true;
    }
    log_.Append({.at = fault.at,
                 .number = fault.request,
                 .index = fault.queue_pair,
                 .kind = EventKind::kFault,
                 .detail = static_cast<uint8_t>(fault.kind)});
  }
}

bool Invariants::FaultHit(uint32_t queue_pair, uint64_t number, FaultKind kind) const {
  const auto found = faults_of_request_.find(KeyOf(queue_pair, number));
  return found != faults_of_request_.end() && (found->second & BitOf(kind)) != 0;
}
bool Invariants::FaultHit(const SimulatedJob& job, FaultKind kind) const {
  return FaultHit(job.queue_pair, job.operation->request().number, kind);
}

// --- the queue of jobs that wait for space ---

bool Invariants::EngineQueues(const SimulatedJob& job) const {
  return options_.engine.retry == RetryPolicy::kWhenSpace &&
         (options_.notify == load::Notify::kFd || options_.engine.callback_when_space) &&
         !job.context_freed;
}

bool Invariants::AwaitsSlot(const SimulatedJob& job) const {
  return job.paused() && job.wait == Wait::kSpace && !job.notified() && !job.stale_signal &&
         !job.context_freed && !job.stopped(now());
}

void Invariants::OnPaused(SimulatedJob& job) {
  const hwsim::operations::Request& request = job.operation->request();
  const bool on_card = rings_.Has(request);
  if (job.wait == Wait::kResult && !on_card && request.status == CompletionStatus::kPending) {
    Break(job, "paused with status OK, but the card never had its request");
  }
  if (job.wait != Wait::kSpace) return;
  if (on_card) Break(job, "paused with status EAGAIN, but the card has its request");
  job.requeued = false;
  if (EngineQueues(job)) space_queues_[job.queue_pair].push_back(&job);
}

void Invariants::OnPausedAgain(SimulatedJob& job, bool was_notified) {
  if (job.wait == Wait::kSpace && rings_.Has(job.operation->request())) {
    Break(job, "paused with status EAGAIN, but the card has its request");
  }
  if (was_notified) job.requeued = true;
  if (job.wait == Wait::kSpace && was_notified && EngineQueues(job) && !job.stale_signal &&
      options_.in_place == 0 && card_->state() == CardState::kUp &&
      !FaultHit(job, FaultKind::kRingFull)) {
    Break(job, "was told of a free slot, but no slot was free");
  }
}

void Invariants::OnLeftSpaceQueue(const SimulatedJob& job) {
  std::erase_if(space_queues_[job.queue_pair],
                [&](const SimulatedJob* other) { return other == &job; });
}

void Invariants::OnPushed(uint32_t queue_pair, const SimulatedJob* job) {
  // A job whose context is freed may have been granted a slot before, which nobody could see.
  if (job == nullptr || job->in_place || job->granted || job->context_freed) return;
  for (const SimulatedJob* first : space_queues_[queue_pair]) {
    if (first == job) return;
    // Polls the wait fd now: a job that waits in place lets time pass while the application's loop,
    // which sets `readable`, does not run.
    if (AwaitsSlot(*first) && !IsWaitFdReadable(*first)) {
      Break(*job, "overtakes job " + std::to_string(first->index) + ", which waits for space");
      return;
    }
  }
}

void Invariants::CheckSpaceQueue(uint32_t queue_pair, bool polled) const {
  const SimulatedJob* first = nullptr;
  const SimulatedJob* first_in_order = nullptr;  // no job behind it may be told before it
  uint32_t granted = 0;                          // slots kept for jobs that were told of them
  for (SimulatedJob* const job : space_queues_[queue_pair]) {
    if (AwaitsSlot(*job)) {
      if (first == nullptr) first = job;
      // A job that waits in place, or a callback at the worst moment, lets other jobs be told
      // between the refusal of this job and its return to the queue.
      const bool others_may_pass =
          options_.in_place != 0 || options_.card.faults.Has(FaultKind::kCallbackWorstMoment);
      if (first_in_order == nullptr && !(job->requeued && others_may_pass)) first_in_order = job;
      continue;
    }
    if (!job->paused() || job->context_freed || !job->notified()) continue;
    ++granted;
    // Order is checked once for each notification: an earlier one kept its slot at that time.
    if (std::exchange(job->notified_seen, true)) continue;
    if (first_in_order != nullptr && !job->stale_signal && !job->stopped(now())) {
      Break(*job, "was told of a free slot before job " + std::to_string(first_in_order->index) +
                      ", which came first");
    }
  }
  const uint32_t depth = card_->queue_pairs()[queue_pair]->depth();
  if (first != nullptr && polled && card_->state() == CardState::kUp &&
      rings_.in_flight(queue_pair) + granted < depth) {
    Break(*first, "is first in the queue for space and was not told, but a slot is free");
  }
}

// --- notifications ---

void Invariants::OnCallback(const SimulatedJob& job) {
  if (job.context_freed) Break(job, "its callback ran after its context was freed");
  if (job.operation == nullptr) {
    Break(job, "its callback ran, but no operation is under way");
    return;
  }
  if (job.callbacks > 1) Break(job, "its callback ran twice");
  if (job.stopped(now())) return;
  const bool for_space = job.wait == Wait::kSpace;
  if (for_space && !options_.engine.callback_when_space) {
    Break(job, "its callback ran after a pause with status EAGAIN");
  }
  if (!for_space && rings_.Has(job.operation->request())) {
    Break(job, "its callback ran before its result was there");
  }
}

void Invariants::CheckWaitForResult(const SimulatedJob& job) const {
  const bool there = !rings_.Has(job.operation->request());
  if (there && !job.notified() && !FaultHit(job, FaultKind::kWaitFdLost)) {
    Break(job, "its result is there, but it was not notified");
  }
  if (!there && job.readable && !job.stale_signal && !job.stopped(now()) &&
      !FaultHit(job, FaultKind::kWaitFdEarly)) {
    Break(job, "its wait fd is readable before its result is there");
  }
}

void Invariants::CheckWaitForSpace(const SimulatedJob& job,
                                   std::optional<hwsim::TimePoint> polled) const {
  if (options_.engine.retry == RetryPolicy::kImmediate && options_.notify == load::Notify::kFd &&
      !job.readable) {
    Break(job, "paused with status EAGAIN, but was not told to try again at once");
  }
  if (polled && EngineQueues(job) && job.stopped(*polled) && !job.notified()) {
    Break(job, "waits for space and was stopped, but was not notified");
  }
}

void Invariants::CheckNotifications(const std::deque<SimulatedJob>& jobs,
                                    std::optional<hwsim::TimePoint> polled) {
  for (const SimulatedJob& job : jobs) {
    if (!job.paused() || job.context_freed) continue;
    if (job.wait == Wait::kSpace) {
      CheckWaitForSpace(job, polled);
      continue;
    }
    CheckWaitForResult(job);
    if (polled && job.stopped(*polled) && !job.notified() &&
        !FaultHit(job, FaultKind::kWaitFdLost)) {
      Break(job, "was stopped, but was not notified");
    }
  }
  for (uint32_t index = 0; index < space_queues_.size(); ++index) {
    if (!space_queues_[index].empty()) CheckSpaceQueue(index, polled.has_value());
  }
}

// --- outcomes ---

void Invariants::CheckOutput(const SimulatedJob& job, bool succeeded,
                             const SimulatedJob::SoftwareResult& software) const {
  const bool in_software = job.operation->in_software();
  const bool inverted = !in_software && FaultHit(job, FaultKind::kVerdictInverted);
  const bool damaged = !in_software && FaultHit(job, FaultKind::kWrongResult);
  if (succeeded && !software.equal && !damaged && !inverted) {
    Break(job, "ended ok, but its result is wrong");
  }
  if (succeeded != software.succeeds && !inverted) {
    Break(job, succeeded ? "ended ok, but software fails" : "ended failed, but software succeeds");
  }
}

void Invariants::CheckDeviceError(const SimulatedJob& job) const {
  if (job.operation->request().status == CompletionStatus::kCardReset) {
    if (!was_reset_) Break(job, "completed by a reset, but the card was not reset");
  } else if (!FaultHit(job, FaultKind::kCompletionError)) {
    Break(job, "ended with a device error that no fault caused");
  }
}

void Invariants::OnEnded(const SimulatedJob& job, Outcome outcome,
                         const SimulatedJob::SoftwareResult& software) {
  TakeFaults();
  const bool on_card = rings_.Has(job.operation->request());
  switch (outcome) {
    case Outcome::kOk:
    case Outcome::kFailed:
      if (on_card) Break(job, "ended with a result, but the card still has its request");
      CheckOutput(job, outcome == Outcome::kOk, software);
      return;
    case Outcome::kDeviceError:
      if (on_card) Break(job, "ended with a device error, but the card still has its request");
      CheckDeviceError(job);
      return;
    case Outcome::kRefused:
      if (on_card) Break(job, "ended refused, but the card has its request");
      if (card_->state() == CardState::kUp && !FaultHit(job, FaultKind::kSubmitRefused) &&
          job.queue_pair < space_queues_.size()) {
        Break(job, "refused by a card that is up");
      }
      return;
    case Outcome::kTimedOut:
      if (!job.deadline || *job.deadline > now()) Break(job, "timed out before its deadline");
      return;
    case Outcome::kCancelled:
      if (!job.cancelled) Break(job, "ended cancelled, but the application did not cancel it");
      return;
    case Outcome::kBusy:
      Break(job, "ended busy, but it was new");
      return;
  }
}

void Invariants::CheckCounts(const engine::Engine& engine) {
  const engine::Engine::Stats stats = engine.stats();
  const RingAuditor::Counts& seen = rings_.counts();
  if (stats.resets != 0) was_reset_ = true;
  const auto check = [&](const char* what, uint64_t counted, uint64_t truth) {
    if (counted == truth) return;
    on_broken_(std::string(what) + ": the engine counted " + std::to_string(counted) +
               ", the auditor saw " + std::to_string(truth) + " at the rings");
  };
  check("accepted", stats.accepted, seen.accepted);
  check("succeeded", stats.succeeded, seen.succeeded);
  check("failed", stats.failed, seen.failed);
  check("in flight", engine.in_flight(), rings_.in_flight());
}

}  // namespace tools::scenario
