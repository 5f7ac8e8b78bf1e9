#include "tools/scenario_rules.h"

#include <poll.h>

#include <algorithm>
#include <span>
#include <utility>

namespace tools {

using engine::Outcome;
using engine::RetryPolicy;
using hwsim::CardState;
using hwsim::CompletionStatus;
using hwsim::FaultKind;

namespace {

static_assert(hwsim::kFaultKindCount <= 32);
uint32_t BitOf(FaultKind kind) { return uint32_t{1} << static_cast<uint32_t>(kind); }
uint64_t KeyOf(uint32_t queue_pair, uint64_t number) { return uint64_t{queue_pair} << 48 | number; }

bool IsReadableNow(const ScenarioJob& job) {
  int fd = -1;
  if (job.context->CopyWaitFds(std::span(&fd, 1)) == 0) return false;
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
}

}  // namespace

void ScenarioRules::Begin(const hwsim::Card& card) {
  card_ = &card;
  lines_.resize(card.queue_pairs().size());
}

void ScenarioRules::Break(const ScenarioJob& job, const std::string& rule) const {
  on_broken_("job " + std::to_string(job.index) + ", operation " + std::to_string(job.number) +
             ": " + rule);
}

void ScenarioRules::NoteFaults() {
  if (card_->fault_log().total() == faults_seen_) return;
  for (const hwsim::FaultEvent& fault : card_->fault_log().Events(faults_seen_)) {
    ++faults_seen_;
    ++fault_counts_[static_cast<size_t>(fault.kind)];
    if (fault.request != hwsim::FaultEvent::kNoRequest) {
      struck_[KeyOf(fault.queue_pair, fault.request)] |= BitOf(fault.kind);
    }
    if (fault.kind == FaultKind::kCardReset || fault.kind == FaultKind::kCardLost) {
      was_reset_ = true;
    }
    log_.Append({.at = fault.at,
                 .number = fault.request,
                 .place = fault.queue_pair,
                 .kind = EventKind::kFault,
                 .detail = static_cast<uint8_t>(fault.kind)});
  }
}

bool ScenarioRules::Struck(uint32_t queue_pair, uint64_t number, FaultKind kind) const {
  const auto found = struck_.find(KeyOf(queue_pair, number));
  return found != struck_.end() && (found->second & BitOf(kind)) != 0;
}
bool ScenarioRules::Struck(const ScenarioJob& job, FaultKind kind) const {
  return Struck(job.queue_pair, job.operation->request().number, kind);
}

// --- the line of those who wait for space ---

bool ScenarioRules::StandsInLine(const ScenarioJob& job) const {
  return options_.engine.retry == RetryPolicy::kWhenSpace &&
         (options_.notify == Notify::kFd || options_.engine.callback_when_space) && !job.freed;
}

bool ScenarioRules::Waits(const ScenarioJob& job) const {
  return job.paused() && job.wait == Wait::kSpace && !job.told() && !job.twice && !job.freed &&
         !job.stopped(now());
}

void ScenarioRules::NotePaused(ScenarioJob& job) {
  if (job.wait == Wait::kResult && rings_.Has(job.operation->request()) == false &&
      job.operation->request().status == CompletionStatus::kPending) {
    Break(job, "told OK, and the card never had it");
  }
  if (job.wait != Wait::kSpace) return;
  if (rings_.Has(job.operation->request())) Break(job, "told EAGAIN, and the card has it");
  job.requeued = false;
  if (StandsInLine(job)) lines_[job.queue_pair].push_back(&job);
}

void ScenarioRules::NotePausedAgain(ScenarioJob& job, bool was_told) {
  if (job.wait == Wait::kSpace && rings_.Has(job.operation->request())) {
    Break(job, "told EAGAIN, and the card has it");
  }
  if (was_told) job.requeued = true;
  if (job.wait == Wait::kSpace && was_told && StandsInLine(job) && !job.twice &&
      options_.in_place == 0 && card_->state() == CardState::kUp &&
      !Struck(job, FaultKind::kRingFull)) {
    Break(job, "told that there is space, and there was none");
  }
}

void ScenarioRules::NoteRuns(const ScenarioJob& job) {
  std::erase_if(lines_[job.queue_pair], [&](const ScenarioJob* other) { return other == &job; });
}

void ScenarioRules::NotePushed(uint32_t queue_pair, const ScenarioJob* job) {
  // One whose context is freed may have been granted a slot before, unseen.
  if (job == nullptr || job->in_place || job->granted || job->freed) return;
  for (const ScenarioJob* first : lines_[queue_pair]) {
    if (first == job) return;
    // Looks anew: who waits in place lets time pass, and the application does not look meanwhile.
    if (Waits(*first) && !IsReadableNow(*first)) {
      Break(*job, "overtakes job " + std::to_string(first->index) + ", which waits for space");
      return;
    }
  }
}

void ScenarioRules::CheckLine(uint32_t queue_pair, bool polled) const {
  const ScenarioJob* first = nullptr;
  const ScenarioJob* before = nullptr;  // the first that nobody comes before
  uint32_t kept = 0;
  for (ScenarioJob* const job : lines_[queue_pair]) {
    if (Waits(*job)) {
      if (first == nullptr) first = job;
      // Who waits in place, or is told at the worst moment, lets others be told between a refusal
      // and the return to the line.
      const bool meanwhile =
          options_.in_place != 0 || options_.card.faults.Has(FaultKind::kCallbackWorstMoment);
      const bool may_be_late = job->requeued && meanwhile;
      if (before == nullptr && !may_be_late) before = job;
      continue;
    }
    if (!job->paused() || job->freed || !job->told()) continue;
    ++kept;
    // Of those told now: who was told before has a slot that was kept for it then.
    if (std::exchange(job->told_seen, true)) continue;
    if (before != nullptr && !job->twice && !job->stopped(now())) {
      Break(*job, "told that there is space before job " + std::to_string(before->index) +
                      ", which came first");
    }
  }
  const uint32_t depth = card_->queue_pairs()[queue_pair]->depth();
  if (first != nullptr && polled && card_->state() == CardState::kUp &&
      rings_.in_flight(queue_pair) + kept < depth) {
    Break(*first, "first in line, and not told though a slot is free");
  }
}

// --- telling ---

void ScenarioRules::NoteCalled(const ScenarioJob& job) {
  if (job.freed) Break(job, "called back after its context was freed");
  if (job.operation == nullptr) {
    Break(job, "called back with nothing under way");
    return;
  }
  if (job.calls > 1) Break(job, "called back twice");
  if (job.stopped(now())) return;
  const bool for_space = job.wait == Wait::kSpace;
  if (for_space && !options_.engine.callback_when_space) Break(job, "called back for EAGAIN");
  if (!for_space && rings_.Has(job.operation->request())) {
    Break(job, "called back before its result was there");
  }
}

void ScenarioRules::CheckResult(const ScenarioJob& job) const {
  const bool there = !rings_.Has(job.operation->request());
  if (there && !job.told() && !Struck(job, FaultKind::kWaitFdLost)) {
    Break(job, "its result is there, and it was not told");
  }
  if (!there && job.readable && !job.twice && !job.stopped(now()) &&
      !Struck(job, FaultKind::kWaitFdEarly)) {
    Break(job, "its wait fd is readable before its result is there");
  }
}

void ScenarioRules::CheckSpace(const ScenarioJob& job,
                               std::optional<hwsim::TimePoint> polled) const {
  if (options_.engine.retry == RetryPolicy::kImmediate && options_.notify == Notify::kFd &&
      !job.readable) {
    Break(job, "told EAGAIN, and not told to try again at once");
  }
  if (polled && StandsInLine(job) && job.stopped(*polled) && !job.told()) {
    Break(job, "waits for space, was stopped, and was not told");
  }
}

void ScenarioRules::CheckTold(const std::deque<ScenarioJob>& jobs,
                              std::optional<hwsim::TimePoint> polled) {
  for (const ScenarioJob& job : jobs) {
    if (!job.paused() || job.freed) continue;
    if (job.wait == Wait::kSpace) {
      CheckSpace(job, polled);
      continue;
    }
    CheckResult(job);
    if (polled && job.stopped(*polled) && !job.told() && !Struck(job, FaultKind::kWaitFdLost)) {
      Break(job, "was stopped, and was not told");
    }
  }
  for (uint32_t index = 0; index < lines_.size(); ++index) {
    if (!lines_[index].empty()) CheckLine(index, polled.has_value());
  }
}

// --- ends ---

void ScenarioRules::CheckGood(const ScenarioJob& job, bool good, const Reference& reference) const {
  const bool software = job.operation->in_software();
  const bool inverted = !software && Struck(job, FaultKind::kVerdictInverted);
  const bool damaged = !software && Struck(job, FaultKind::kWrongResult);
  if (good && !reference.equal && !damaged && !inverted) Break(job, "ok, and its result is wrong");
  if (good != reference.good && !inverted) {
    Break(job, good ? "ok, and software fails" : "failed, and software does not");
  }
}

void ScenarioRules::NoteEnded(const ScenarioJob& job, Outcome outcome, const Reference& reference) {
  NoteFaults();
  const hwsim::Request& request = job.operation->request();
  const bool on_card = rings_.Has(request);
  switch (outcome) {
    case Outcome::kOk:
    case Outcome::kFailed:
      if (on_card) Break(job, "ended with a result, and the card has it still");
      CheckGood(job, outcome == Outcome::kOk, reference);
      return;
    case Outcome::kDeviceError:
      if (on_card) Break(job, "ended with an error, and the card has it still");
      if (request.status == CompletionStatus::kCardReset) {
        if (!was_reset_) Break(job, "answered as by a reset, and there was none");
      } else if (!Struck(job, FaultKind::kCompletionError)) {
        Break(job, "device error for no reason");
      }
      return;
    case Outcome::kRefused:
      if (on_card) Break(job, "refused, and the card has it");
      if (card_->state() == CardState::kUp && !Struck(job, FaultKind::kSubmitRefused) &&
          job.queue_pair < lines_.size()) {
        Break(job, "refused by a card that is up");
      }
      return;
    case Outcome::kTimedOut:
      if (!job.deadline || *job.deadline > now()) Break(job, "out of time before its time");
      return;
    case Outcome::kCancelled:
      if (!job.cancelled) Break(job, "cancelled by nobody");
      return;
    case Outcome::kBusy:
      Break(job, "busy, and it was new");
      return;
  }
}

void ScenarioRules::CheckCounts(const engine::Engine& engine) {
  const engine::Engine::Stats stats = engine.stats();
  const RingBooks::Counts& seen = rings_.counts();
  if (stats.resets != 0) was_reset_ = true;
  const auto check = [&](const char* what, uint64_t counted, uint64_t truth) {
    if (counted == truth) return;
    on_broken_(std::string(what) + ": " + std::to_string(counted) + " counted, " +
               std::to_string(truth) + " seen at the rings");
  };
  check("accepted", stats.accepted, seen.accepted);
  check("succeeded", stats.succeeded, seen.succeeded);
  check("failed", stats.failed, seen.failed);
  check("in flight", engine.in_flight(), rings_.in_flight());
}

}  // namespace tools
