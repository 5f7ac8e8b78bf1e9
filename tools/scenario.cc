#include "tools/scenario.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <utility>

#include "hwsim/operations.h"
#include "hwsim/virtual_card.h"
#include "waitctx/job.h"

namespace tools {

namespace {

using engine::Engine;
using engine::Outcome;
using hwsim::Duration;
using hwsim::TimePoint;
using waitctx::Status;

bool IsReadable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
}

std::array<std::byte, 16> Message(uint64_t number) {
  std::array<std::byte, 16> message{};
  for (size_t i = 0; i < 8; ++i) message[i] = static_cast<std::byte>(number >> (8 * i));
  return message;
}

// What one of the application's jobs does, and what becomes of it.
struct Work {
  std::unique_ptr<engine::OperationHandle> operation;  // under way
  bool called = false;                                 // by its callback
};

class Application {
 public:
  Application(const ScenarioOptions& options, std::unique_ptr<hwsim::VirtualCard> card)
      : options_(options), card_(*card) {
    Engine::Options engine = options.engine;
    engine.completion = hwsim::CompletionMode::kInline;
    engine_ = Engine::Create(std::move(card), engine).value();
    // An engine that is polled turned them off.
    card_.SetInterrupts(options.poll == ScenarioPoll::kOnInterrupt);
  }

  ScenarioResult Run() {
    if (options_.synchronous) {
      for (uint64_t number = 0; number < Total(); ++number) {
        Work work;
        static_cast<void>(RunOne(work, number));
      }
    } else {
      StartJobs();
      while (!AllFinished()) Turn();
    }
    result_.took = card_.clock().Now() - TimePoint{};
    Settle();
    return std::move(result_);
  }

 private:
  // How long a job that has to try waits before it does.
  static constexpr Duration kTryAgainAfter = std::chrono::microseconds(100);
  // How long a turn takes in which jobs were resumed for nothing.
  static constexpr Duration kSpin = std::chrono::microseconds(1);
  // How long what was given up may stay on the card after the last job has ended.
  static constexpr Duration kAfterlife = std::chrono::seconds(10);

  struct Job {
    Work work;
    waitctx::WaitContextRef context;
    std::unique_ptr<waitctx::Fibre> fibre;
    bool tried = false;  // since time last moved
  };

  uint64_t Total() const { return uint64_t{options_.jobs} * options_.operations; }
  uint32_t QueuePairOf(uint64_t number) const {
    return static_cast<uint32_t>(number / options_.operations % card_.queue_pairs().size());
  }

  template <typename T, typename Check, typename... Args>
  Outcome RunWork(Work& work, uint64_t number, Check check, const Args&... args) {
    auto operation = std::make_unique<engine::Operation<T>>(args...);
    auto* const typed = operation.get();
    work.operation = std::move(operation);
    const Outcome outcome = engine_->Run(*typed, {.queue_pair = QueuePairOf(number)});
    if (typed->in_software()) ++result_.counts["in_software"];
    if (outcome == Outcome::kOk && !check(**typed)) ++result_.counts["wrong"];
    return outcome;
  }

  Outcome RunOne(Work& work, uint64_t number) {
    const std::array<std::byte, 16> message = Message(number);
    Outcome outcome;
    if (options_.tamper) {
      const std::array<std::byte, 16> key{};
      const std::array<std::byte, 12> iv{};
      const std::array<std::byte, 32> forged{};
      // No result of it is right.
      outcome = RunWork<hwsim::Aes128Gcm>(
          work, number, [](hwsim::Aes128Gcm&) { return false; }, hwsim::Direction::kDecrypt,
          std::span<const std::byte, 16>(key), std::span<const std::byte, 12>(iv), hwsim::Bytes(),
          hwsim::Bytes(forged));
    } else {
      outcome = RunWork<hwsim::Sha256>(
          work, number,
          [&](hwsim::Sha256& hash) {
            hwsim::Sha256 reference{hwsim::Bytes(message)};
            return reference.Execute() && reference.digest() == hash.digest();
          },
          hwsim::Bytes(message));
    }
    ++result_.counts[std::string(engine::OutcomeName(outcome))];
    if (outcome == Outcome::kCancelled && patience_over_) ++result_.counts["stuck"];
    return outcome;
  }

  void StartJobs() {
    for (uint64_t index = 0; index < options_.jobs; ++index) {
      Job& job = jobs_.emplace_back();
      job.context = waitctx::WaitContext::Create();
      if (options_.notify == Notify::kCallback) {
        const auto called = [](void* argument) {
          static_cast<Work*>(argument)->called = true;
          return 1;
        };
        job.context->SetCallback({called, &job.work});
      }
      job.fibre = std::make_unique<waitctx::Fibre>(job.context, [this, index, &job] {
        for (uint64_t i = 0; i < options_.operations; ++i) {
          static_cast<void>(RunOne(job.work, index * options_.operations + i));
          if (job.context->status() == static_cast<int>(Status::kError)) ++result_.counts["err"];
        }
        return 0;
      });
      NotePause(job);
    }
  }

  bool AllFinished() const {
    for (const Job& job : jobs_) {
      if (job.fibre->paused()) return false;
    }
    return true;
  }

  size_t Active() const {
    return static_cast<size_t>(
        std::ranges::count_if(jobs_, [](const Job& job) { return job.fibre->paused(); }));
  }
  // Nobody tells it when there is space for it.
  static bool HasToTry(const Job& job) {
    return job.context->wait_fd_count() == 0 &&
           job.context->status() == static_cast<int>(Status::kAgain);
  }

  void NotePause(Job& job) {
    const bool again = job.context->status() == static_cast<int>(Status::kAgain);
    if (job.fibre->paused() && again) ++result_.counts["again"];
  }

  // Whether the application has a reason to resume it.
  bool IsReady(Job& job) {
    if (freed_) return true;
    if (std::exchange(job.work.called, false)) {
      ++result_.counts["callbacks"];
      return true;
    }
    int fd = -1;
    if (job.context->CopyWaitFds(std::span(&fd, 1)) != 0 && IsReadable(fd)) {
      ++result_.counts["wakes"];
      return true;
    }
    return HasToTry(job) && !std::exchange(job.tried, true);
  }

  bool ResumeReady() {
    bool any = false;
    for (Job& job : jobs_) {
      if (!job.fibre->paused() || !IsReady(job)) continue;
      static_cast<void>(job.fibre->Resume());
      NotePause(job);
      const bool in_vain =
          job.fibre->paused() && job.context->status() == static_cast<int>(Status::kAgain);
      (in_vain ? spun_ : any) = true;
    }
    // Jobs whose contexts are gone are resumed once for each move of time.
    return any && !freed_;
  }

  bool Poll() {
    switch (options_.poll) {
      case ScenarioPoll::kAlways:
        return engine_->Poll() != 0;
      case ScenarioPoll::kHeuristic:
        return engine_->PollHeuristically(Active()) != 0;
      case ScenarioPoll::kOnInterrupt:
        break;
    }
    const auto deadline = engine_->NextDeadline();
    bool risen =
        std::exchange(watchdog_due_, false) || (deadline && *deadline <= card_.clock().Now());
    for (const auto& queue_pair : card_.queue_pairs()) {
      if (IsReadable(queue_pair->interrupt_fd())) risen = true;
    }
    if (!risen) return false;
    for (const auto& queue_pair : card_.queue_pairs()) queue_pair->DisarmInterrupt();
    const size_t found = engine_->Poll();
    for (const auto& queue_pair : card_.queue_pairs()) {
      if (queue_pair->ArmInterrupt()) watchdog_due_ = true;
    }
    return found != 0;
  }

  void Turn() {
    const bool polled = Poll();
    spun_ = false;
    if (ResumeReady() || polled) return;
    const TimePoint now = card_.clock().Now();
    const TimePoint end = TimePoint{} + options_.patience;
    TimePoint next = std::min(card_.NextEvent().value_or(end), end);
    next = std::min(next, engine_->NextDeadline().value_or(end));
    if (spun_) next = std::min(next, now + kSpin);
    if (std::ranges::any_of(jobs_, HasToTry)) next = std::min(next, now + kTryAgainAfter);
    if (options_.poll == ScenarioPoll::kOnInterrupt) {
      const TimePoint look = last_look_ + options_.engine.watchdog_interval;
      if (look <= next) {
        next = look;
        last_look_ = look;
        watchdog_due_ = true;
      }
    }
    if (options_.free_contexts_at && !freed_) {
      const TimePoint free_at = TimePoint{} + *options_.free_contexts_at;
      if (free_at <= next) FreeContexts();
      next = std::min(next, free_at);
    }
    card_.AdvanceTo(std::max(next, now));
    for (Job& job : jobs_) job.tried = false;
    if (next >= end) GiveUp();
  }

  void FreeContexts() {
    freed_ = true;
    for (Job& job : jobs_) job.context->Close();
  }

  void GiveUp() {
    patience_over_ = true;
    for (Job& job : jobs_) {
      while (job.fibre->paused()) {
        engine_->Cancel(*job.work.operation);
        static_cast<void>(job.fibre->Resume());
      }
    }
  }

  void Break(bool broken, const char* rule) {
    if (broken) result_.broken.emplace_back(rule);
  }

  // Nothing may be left behind; then the counts.
  void Settle() {
    for (Job& job : jobs_) {
      if (!freed_) job.context->Close();
    }
    // What was given up and is on the card still: it comes back, or the engine gets it back.
    const TimePoint end = card_.clock().Now() + kAfterlife;
    for (engine_->Poll(); engine_->in_flight() != 0 && card_.clock().Now() < end; engine_->Poll()) {
      const TimePoint next =
          std::min(card_.NextEvent().value_or(end), engine_->NextDeadline().value_or(end));
      card_.AdvanceTo(std::max(next, card_.clock().Now()));
    }
    const Engine::Stats stats = engine_->stats();
    auto& counts = result_.counts;
    counts["spurious"] = stats.spurious_resumes;
    counts["retried"] = stats.retried;
    counts["late"] = stats.late;
    counts["resets"] = stats.resets;
    counts["false_alarms"] = stats.heartbeat_false_alarms;
    counts["told_again"] = stats.told_again;
    counts["left_on_card"] = engine_->in_flight();
    counts["interrupts"] = card_.stats().interrupts;
    counts["faults"] = card_.fault_log().total();
    result_.fault_log = card_.fault_log().Text();
    Break(stats.accepted != stats.succeeded + stats.failed + engine_->in_flight(),
          "accepted = succeeded + failed + in flight");
    uint64_t outcomes = 0;
    for (uint8_t i = 0; i <= static_cast<uint8_t>(Outcome::kBusy); ++i) {
      outcomes += result_.count(engine::OutcomeName(static_cast<Outcome>(i)));
    }
    Break(outcomes != Total(), "each run ends once");
  }

  const ScenarioOptions& options_;
  hwsim::VirtualCard& card_;
  ScenarioResult result_;
  std::unique_ptr<Engine> engine_;
  std::deque<Job> jobs_;  // before the engine in ending: their operations may be on its card
  bool freed_ = false;
  bool spun_ = false;  // in this turn, jobs were resumed and found no space
  bool patience_over_ = false;
  bool watchdog_due_ = true;
  TimePoint last_look_{};
};

}  // namespace

hwsim::Expected<ScenarioResult> RunScenario(const ScenarioOptions& options) {
  auto card = hwsim::VirtualCard::Create({.profile = options.card,
                                          .queue_pairs = options.queue_pairs,
                                          .depth = options.depth,
                                          .seed = options.seed});
  if (!card) return hwsim::Unexpected(std::move(card.error()));
  return Application(options, std::move(*card)).Run();
}

}  // namespace tools
