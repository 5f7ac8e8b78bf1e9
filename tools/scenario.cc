#include "tools/scenario.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/awaiter.h"
#include "hwsim/fd.h"
#include "hwsim/operations.h"
#include "hwsim/virtual_card.h"
#include "tools/ring_books.h"
#include "tools/scenario_job.h"
#include "tools/scenario_lists.h"
#include "tools/scenario_rules.h"
#include "waitctx/coroutine.h"
#include "waitctx/job.h"

namespace tools {

namespace {

using engine::Engine;
using engine::Outcome;
using hwsim::CardState;
using hwsim::Duration;
using hwsim::OperationKind;
using hwsim::TimePoint;
using waitctx::Status;
using Wait = ScenarioJob::Wait;

bool IsReadable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
}

std::vector<std::byte> Message(uint64_t number, uint32_t size) {
  std::vector<std::byte> message(std::max<uint32_t>(size, 8));
  for (size_t i = 0; i < 8; ++i) message[i] = static_cast<std::byte>(number >> (8 * i));
  message.resize(size);
  return message;
}

class Application {
 public:
  Application(const ScenarioOptions& options, const ScenarioWatch& watch)
      : options_(options),
        watch_(watch),
        log_(watch.log != nullptr ? *watch.log : own_log_),
        chance_(hwsim::Random(options.seed).Fork(kChanceStream)),
        rings_(
            log_, [this](const std::string& rule) { Break(rule); },
            [this](uint32_t queue_pair, const hwsim::Request&) {
              rules_.NotePushed(queue_pair, running_);
            }),
        rules_(options_, rings_, log_, [this](const std::string& rule) { Break(rule); }) {}

  hwsim::Expected<void> Create() {
    auto card = hwsim::VirtualCard::Create(
        {.profile = options_.card,
         .queue_pairs = options_.queue_pairs,
         .depth = options_.depth,
         .seed = options_.seed,
         .wrap_channel = [this](uint32_t queue_pair, std::unique_ptr<hwsim::Channel> channel) {
           return rings_.Watch(queue_pair, std::move(channel));
         }});
    if (!card) return hwsim::Unexpected(std::move(card.error()));
    card_ = card->get();
    if (options_.lists != 0) bare_card_ = std::move(*card);
    rings_.Begin(*card_, options_.depth != 0 ? options_.depth : options_.card.depth);
    rules_.Begin(*card_);
    if (bare_card_ != nullptr) return {};
    Engine::Options engine = options_.engine;
    engine.completion = hwsim::CompletionMode::kInline;
    auto created = Engine::Create(std::move(*card), engine);
    if (!created) return hwsim::Unexpected(std::move(created.error()));
    engine_ = std::move(*created);
    // An engine that is polled turned them off.
    card_->SetInterrupts(options_.poll == ScenarioPoll::kOnInterrupt);
    return {};
  }

  ScenarioResult Run() {
    end_ = TimePoint{} + options_.patience + options_.faults_end.value_or(Duration::zero());
    if (options_.lists != 0) return RunLists();
    if (options_.synchronous) {
      RunSynchronously();
    } else {
      for (uint32_t index = 0; index < options_.jobs; ++index) {
        AddJob(index % QueuePairs(), options_.operations);
      }
      while (!AllFinished()) Turn();
      if (options_.faults_end && !patience_over_) Prove();
    }
    result_.took = Now() - TimePoint{};
    Settle();
    return std::move(result_);
  }

 private:
  static constexpr uint64_t kChanceStream = 77;
  // How long a job that has to try waits before it does.
  static constexpr Duration kTryAgainAfter = std::chrono::microseconds(100);
  // How long a turn takes in which jobs were resumed for nothing.
  static constexpr Duration kSpin = std::chrono::microseconds(1);
  // How long what was given up may stay on the card after the last job has ended.
  static constexpr Duration kAfterlife = std::chrono::seconds(10);
  // Turns at the same time: more than any work that there is at one.
  static constexpr uint32_t kTurnsMax = 100'000;

  TimePoint Now() const { return card_->clock().Now(); }
  uint32_t QueuePairs() const { return static_cast<uint32_t>(card_->queue_pairs().size()); }
  bool Chance(double probability) { return probability > 0 && chance_.NextDouble() < probability; }
  void Note(EventKind kind, const ScenarioJob& job, uint8_t detail = 0) {
    log_.Append(
        {.at = Now(), .number = job.number, .place = job.index, .kind = kind, .detail = detail});
  }
  void Note(EventKind kind) { log_.Append({.at = Now(), .kind = kind}); }

  void Break(const std::string& rule) {
    Note(EventKind::kBroken);
    constexpr size_t kKept = 100;
    if (result_.broken.size() < kKept) result_.broken.push_back(rule);
    if (watch_.on_broken) watch_.on_broken(rule);
  }

  // --- operations ---

  // How long after its start something happens to an operation.
  TimePoint Soon() {
    const double share = chance_.NextDouble();
    return Now() + Duration(static_cast<int64_t>(share * share * 4e6));
  }

  void Begin(ScenarioJob& job) {
    job.number = ++started_;
    job.in_place = options_.synchronous || (!proving_ && Chance(options_.in_place));
    job.cancelled = false;
    job.deadline.reset();
    job.cancel_at.reset();
    job.free_at.reset();
    const std::optional<Duration> limit =
        proving_ ? std::optional<Duration>(options_.patience) : options_.engine.time_limit;
    if (limit) job.deadline = Now() + *limit;
    Note(EventKind::kStarted, job, static_cast<uint8_t>(job.operation->request().kind));
    if (proving_) return;
    if (Chance(options_.cancel)) job.cancel_at = Soon();
    if (Chance(options_.free_context)) job.free_at = Soon();
  }

  template <typename T, typename... Args>
  static void Make(ScenarioJob& job, const Args&... args) {
    auto operation = std::make_unique<engine::Operation<T>>(args...);
    job.reference = [&work = **operation, args...] {
      T software(args...);
      const bool good = software.Execute();
      return ScenarioJob::Reference{
          .good = good, .equal = good && std::ranges::equal(software.output(), work.output())};
    };
    job.operation = std::move(operation);
  }

  // An operation of that kind, with the job's message and what goes with the kind.
  void MakeKind(ScenarioJob& job, OperationKind kind) const {
    static constexpr std::array<std::byte, 16> kKey{};
    static constexpr std::array<std::byte, 12> kIv{};
    static constexpr std::array<std::byte, 32> kForged{};
    const std::span<const std::byte, 16> key(kKey);
    const std::span<const std::byte, 12> iv(kIv);
    const hwsim::Bytes message(job.message);
    if (options_.tamper && !proving_) {
      return Make<hwsim::Aes128Gcm>(job, hwsim::Direction::kDecrypt, key, iv, hwsim::Bytes(),
                                    hwsim::Bytes(kForged));
    }
    switch (kind) {
      case OperationKind::kNull:
        return Make<hwsim::Null>(job);
      case OperationKind::kCopy:
        return Make<hwsim::Copy>(job, message);
      case OperationKind::kCrc32c:
        return Make<hwsim::Crc32c>(job, message);
      case OperationKind::kAes128Gcm:
        return Make<hwsim::Aes128Gcm>(job, hwsim::Direction::kEncrypt, key, iv, hwsim::Bytes(),
                                      message);
      case OperationKind::kDeflate:
        return Make<hwsim::Deflate>(job, message);
      default:
        return Make<hwsim::Sha256>(job, message);
    }
  }

  // The job's next operation begins, and is to be run so.
  engine::RunOptions BeginOne(ScenarioJob& job) {
    const size_t choice = options_.mix.size() > 1 ? chance_.Next() % options_.mix.size() : 0;
    job.message = Message(started_ + 1, options_.size_bytes);
    MakeKind(job, options_.mix[choice]);
    Begin(job);
    engine::RunOptions run{.queue_pair = job.queue_pair, .in_place = job.in_place};
    if (proving_) run.time_limit = options_.patience;
    return run;
  }

  void EndOne(ScenarioJob& job, Outcome outcome) {
    ScenarioJob::Reference reference;
    if (outcome == Outcome::kOk || outcome == Outcome::kFailed) reference = job.reference();
    if (outcome == Outcome::kOk && !reference.equal) ++result_.counts["wrong"];
    if (job.operation->in_software()) ++result_.counts["in_software"];
    Note(EventKind::kEnded, job, static_cast<uint8_t>(outcome));
    rules_.CheckCounts(*engine_);
    rules_.NoteEnded(job, outcome, reference);
    job.operation.reset();
    ++result_.counts[std::string(engine::OutcomeName(outcome))];
    ++ended_;
    if (outcome == Outcome::kCancelled && patience_over_) ++result_.counts["stuck"];
    if (proving_ && outcome != Outcome::kOk && card_->state() != CardState::kLost) {
      Break("with the faults over and everything ended, an operation ends as " +
            std::string(engine::OutcomeName(outcome)));
    }
    if (job.context && job.context->status() == static_cast<int>(Status::kError)) {
      ++result_.counts["err"];
    }
  }

  void RunOne(ScenarioJob& job) {
    const engine::RunOptions run = BeginOne(job);
    EndOne(job, engine_->Run(*job.operation, run));
  }
  waitctx::Task<void> RunOneInTask(ScenarioJob& job) {
    const engine::RunOptions run = BeginOne(job);
    if (job.in_place) {
      EndOne(job, engine_->Run(*job.operation, run));
    } else {
      EndOne(job, co_await engine_->RunAsync(*job.operation, run));
    }
  }

  void RunSynchronously() {
    ScenarioJob job;
    const uint64_t operations = uint64_t{options_.jobs} * options_.operations;
    for (uint64_t i = 0; i < operations; ++i) {
      job.queue_pair = static_cast<uint32_t>(i / options_.operations % QueuePairs());
      RunOne(job);
    }
  }

  ScenarioResult RunLists() {
    const RingBooks::OnBroken on_broken = [this](const std::string& rule) { Break(rule); };
    const TimePoint end = end_ - options_.patience;
    ScenarioLists lists(*card_, rings_, chance_, on_broken);
    if (!lists.Run(uint64_t{options_.jobs} * options_.operations, options_.lists, options_.mix, end,
                   options_.patience, result_.counts)) {
      Note(EventKind::kGaveUp);
      ++result_.counts["stuck"];
      if (watch_.on_stuck) watch_.on_stuck();
    }
    rules_.NoteFaults();
    uint64_t accepted = 0;
    for (const auto& queue_pair : card_->queue_pairs()) accepted += queue_pair->counts().accepted;
    if (accepted != rings_.counts().accepted) Break("accepted is not what the rings saw");
    result_.took = Now() - TimePoint{};
    CountFaults();
    result_.hash = log_.hash();
    bare_card_.reset();  // before the requests: what did not come back is theirs now
    return std::move(result_);
  }

  // --- jobs ---

  void AddJob(uint32_t queue_pair, uint32_t operations) {
    ScenarioJob& job = jobs_.emplace_back();
    job.index = static_cast<uint32_t>(jobs_.size() - 1);
    job.queue_pair = queue_pair;
    job.operations_left = operations;
    StartJob(job);
  }

  void StartJob(ScenarioJob& job) {
    job.context = waitctx::WaitContext::Create();
    job.freed = job.restart = false;
    if (options_.notify == Notify::kCallback) {
      const auto called = [](void* argument) {
        const auto* const link = static_cast<std::pair<Application*, ScenarioJob*>*>(argument);
        link->first->OnCalled(*link->second);
        return 1;
      };
      links_.emplace_back(this, &job);
      job.context->SetCallback({called, &links_.back()});
    }
    ScenarioJob* const outer = std::exchange(running_, &job);
    if (options_.tasks) {
      job.task = std::make_unique<waitctx::Task<void>>(RunTask(job));
      job.task->Start(job.context);
    } else {
      job.fibre = std::make_unique<waitctx::Fibre>(job.context, [this, &job] {
        while (HasNext(job)) RunOne(job);
        return 0;
      });
    }
    running_ = outer;
    AfterRun(job);
    if (job.paused()) rules_.NotePaused(job);
  }

  // Whether it goes on to another operation, which is taken off those that are left.
  bool HasNext(ScenarioJob& job) const {
    if (job.operations_left == 0 || job.restart || (closing_ && !proving_)) return false;
    --job.operations_left;
    return true;
  }
  waitctx::Task<void> RunTask(ScenarioJob& job) {
    while (HasNext(job)) co_await RunOneInTask(job);
  }

  // It ran, and has paused or finished.
  void AfterRun(ScenarioJob& job) {
    if (!job.paused()) {
      job.wait = Wait::kNothing;
      return;
    }
    const bool again = job.context->status() == static_cast<int>(Status::kAgain);
    job.wait = again ? Wait::kSpace : Wait::kResult;
    if (again) ++result_.counts["again"];
    Note(again ? EventKind::kWaitsForSpace : EventKind::kWaitsForResult, job);
  }

  static void ForgetPause(ScenarioJob& job) {
    job.wait = Wait::kNothing;
    job.called = job.readable = job.told_seen = false;
    job.calls = 0;
  }

  void Resume(ScenarioJob& job) {
    // What a fault left behind is no word of space.
    const bool was_told = job.told() && !job.twice;
    const Wait waited = job.wait;
    const uint64_t number = job.number;
    Note(EventKind::kResumed, job);
    job.granted = job.told() && waited == Wait::kSpace;
    // What is left of one is gone with the next look at the fd.
    job.twice = waited == Wait::kResult && rules_.WillBeToldTwice(job);
    ForgetPause(job);
    ScenarioJob* const outer = std::exchange(running_, &job);
    job.Resume();
    running_ = outer;
    rules_.NoteFaults();
    AfterRun(job);
    const bool in_line = waited == Wait::kSpace;
    if (job.paused() && job.number == number && waited == job.wait && in_line) {
      rules_.NotePausedAgain(job, was_told);
    } else {
      if (in_line) rules_.NoteRuns(job);
      if (job.paused()) rules_.NotePaused(job);
    }
  }

  bool AllFinished() const {
    return std::ranges::none_of(jobs_, [](const ScenarioJob& job) { return job.paused(); });
  }
  size_t Active() const {
    return static_cast<size_t>(
        std::ranges::count_if(jobs_, [](const ScenarioJob& job) { return job.paused(); }));
  }
  // Nobody tells it when there is space for it.
  static bool HasToTry(const ScenarioJob& job) {
    return job.paused() && job.context->wait_fd_count() == 0 && job.wait == Wait::kSpace;
  }

  void OnCalled(ScenarioJob& job) {
    ++job.calls;
    ++result_.counts["callbacks"];
    Note(EventKind::kCalled, job);
    rules_.NoteFaults();
    rules_.NoteCalled(job);
    job.called = true;
    const bool may_resume = options_.resume_in_callback && running_ == nullptr &&
                            std::this_thread::get_id() == thread_ && job.paused();
    if (may_resume) Resume(job);
  }

  // Looks at the wait fds of all who wait.
  void LookAtFds() {
    polled_.clear();
    for (ScenarioJob& job : jobs_) {
      int fd = -1;
      if (!job.paused() || job.context->CopyWaitFds(std::span(&fd, 1)) == 0) continue;
      polled_.push_back({.fd = fd, .events = POLLIN, .revents = 0});
      polled_jobs_.push_back(&job);
    }
    if (!polled_.empty()) ::poll(polled_.data(), polled_.size(), 0);
    for (size_t i = 0; i < polled_.size(); ++i) {
      ScenarioJob& job = *polled_jobs_[i];
      const bool readable = polled_[i].revents != 0;
      if (readable && !job.readable) Note(EventKind::kReadable, job);
      job.readable = readable;
    }
    polled_jobs_.clear();
  }

  // Whether the application has a reason to resume it.
  bool IsReady(ScenarioJob& job) {
    if (job.freed) return !std::exchange(job.tried, true);
    if (job.told()) return !Chance(options_.slow_resume) || !(spun_ = true);
    return HasToTry(job) && !std::exchange(job.tried, true);
  }

  bool ResumeReady() {
    bool any = false;
    // Not those that are added meanwhile, nor in their order while they are being resumed.
    const size_t count = jobs_.size();
    for (size_t i = 0; i < count; ++i) {
      ScenarioJob& job = jobs_[i];
      if (!job.paused()) continue;
      const bool needless = Chance(options_.needless_resume);
      const bool by_fd = job.readable;
      if (!IsReady(job) && !needless) continue;
      if (by_fd) ++result_.counts["wakes"];
      const bool freed = job.freed;
      Resume(job);
      const bool in_vain = job.paused() && job.wait == Wait::kSpace;
      if (in_vain) {
        spun_ = true;
      } else if (!freed || !job.paused()) {
        any = true;
      }
    }
    return any;
  }

  bool RestartFreed() {
    bool any = false;
    for (ScenarioJob& job : jobs_) {
      if (!job.restart || job.paused()) continue;
      job.restart = false;
      if (job.operations_left == 0 || closing_) continue;
      StartJob(job);
      any = true;
    }
    return any;
  }

  bool Poll(bool& certain) {
    certain = true;
    switch (options_.poll) {
      case ScenarioPoll::kAlways:
        return engine_->Poll(options_.poll_quota) != 0;
      case ScenarioPoll::kHeuristic:
        certain = false;
        return engine_->PollHeuristically(Active()) != 0;
      case ScenarioPoll::kOnInterrupt:
        break;
    }
    const auto deadline = engine_->NextDeadline();
    bool risen = std::exchange(watchdog_due_, false) || (deadline && *deadline <= Now());
    for (const auto& queue_pair : card_->queue_pairs()) {
      if (IsReadable(queue_pair->interrupt_fd())) risen = true;
    }
    certain = risen;
    if (!risen) return false;
    for (const auto& queue_pair : card_->queue_pairs()) queue_pair->DisarmInterrupt();
    const size_t found = engine_->Poll(options_.poll_quota);
    for (const auto& queue_pair : card_->queue_pairs()) {
      if (queue_pair->ArmInterrupt()) watchdog_due_ = true;
    }
    return found != 0;
  }

  // --- time ---

  void Turn() {
    if (++turns_ > kTurnsMax) return GiveUp();
    DoChores();
    bool certain = false;
    const TimePoint polled_at = Now();
    const bool polled = Poll(certain);
    rules_.NoteFaults();
    LookAtFds();
    rules_.CheckTold(jobs_, certain ? std::optional(polled_at) : std::nullopt);
    rules_.CheckCounts(*engine_);
    spun_ = false;
    const bool resumed = ResumeReady();
    const bool restarted = RestartFreed();
    if (polled || resumed || restarted) return;
    PassTime();
  }

  // What the application does of itself, when its time has come.
  void DoChores() {
    for (ScenarioJob& job : jobs_) {
      if (!job.paused()) continue;
      if (job.cancel_at && *job.cancel_at <= Now() && !job.cancelled) {
        job.cancelled = true;
        Note(EventKind::kCancelled, job);
        engine_->Cancel(*job.operation);
      }
      if (job.paused() && job.free_at && *job.free_at <= Now() && !job.freed) {
        job.restart = true;
        if (options_.tasks && Chance(0.5)) DestroyTask(job);
        FreeContext(job);
      }
    }
  }

  void PassTime() {
    const TimePoint now = Now();
    TimePoint next = std::min(card_->NextEvent().value_or(end_), end_);
    next = std::min(next, engine_->NextDeadline().value_or(end_));
    if (spun_) next = std::min(next, now + kSpin);
    for (const ScenarioJob& job : jobs_) {
      if (!job.paused()) continue;
      if (HasToTry(job) || job.freed) next = std::min(next, now + kTryAgainAfter);
      if (job.cancel_at && !job.cancelled) next = std::min(next, *job.cancel_at);
      if (job.free_at && !job.freed) next = std::min(next, *job.free_at);
    }
    if (options_.poll == ScenarioPoll::kOnInterrupt) {
      const TimePoint look = last_look_ + options_.engine.watchdog_interval;
      if (look <= next) {
        next = look;
        last_look_ = look;
        watchdog_due_ = true;
      }
    }
    if (options_.free_contexts_at && !all_freed_) {
      const TimePoint free_at = TimePoint{} + *options_.free_contexts_at;
      if (free_at <= next) FreeAllContexts();
      next = std::min(next, free_at);
    }
    const TimePoint faults_end = TimePoint{} + options_.faults_end.value_or(Duration::zero());
    const bool faults_end_now = options_.faults_end && !closing_ && faults_end <= next;
    if (faults_end_now) next = faults_end;
    AdvanceTo(std::max(next, now));
    if (faults_end_now) EndFaults();
    if (next >= end_) GiveUp();
  }

  void AdvanceTo(TimePoint to) {
    if (to > Now()) turns_ = 0;
    card_->AdvanceTo(to);
    rings_.Look();
    for (ScenarioJob& job : jobs_) job.tried = false;
  }

  // To whatever comes next for card or engine, no further than `end`. False: it is `end` already.
  bool StepTo(TimePoint end) {
    if (Now() >= end) return false;
    const TimePoint next =
        std::min(card_->NextEvent().value_or(end), engine_->NextDeadline().value_or(end));
    AdvanceTo(std::clamp(next, Now(), end));
    return true;
  }

  // Which gives the operation up.
  void DestroyTask(ScenarioJob& job) {
    job.cancelled = true;
    Note(EventKind::kCancelled, job);
    rules_.NoteRuns(job);
    job.task.reset();
    ForgetPause(job);
    job.twice = false;
    EndOne(job, Outcome::kCancelled);
  }

  void FreeContext(ScenarioJob& job) {
    int fd = -1;
    job.context->CopyWaitFds(std::span(&fd, job.context->wait_fd_count() == 0 ? 0 : 1));
    Note(EventKind::kContextFreed, job);
    job.freed = true;
    job.context->Close();
    if (fd < 0) return;
    // Another's descriptor has the number now: nobody is to signal it.
    auto other = hwsim::EventFd::Create();
    if (!other) return;
    const int sentinel = ::fcntl(other->fd(), F_DUPFD_CLOEXEC, fd);
    if (sentinel >= 0) sentinels_.emplace_back(sentinel);
  }

  void FreeAllContexts() {
    all_freed_ = true;
    for (ScenarioJob& job : jobs_) {
      if (!job.freed) FreeContext(job);
    }
  }

  void EndFaults() {
    closing_ = true;
    Note(EventKind::kFaultsEnd);
    const engine::HealthOptions& health = options_.engine.health;
    const auto has = [&](hwsim::FaultKind kind) { return options_.card.faults.Has(kind); };
    const bool lost = has(hwsim::FaultKind::kResponseDropped) &&
                      (health.stuck_limit == Duration::zero() || !options_.engine.time_limit);
    const bool hung =
        has(hwsim::FaultKind::kCardHang) && health.heartbeat_interval == Duration::zero();
    if (!lost && !hung) return;
    ResetCard();  // which the engine was not told to do for itself
  }

  // Until when the heartbeat may stand still, which the engine may take for a card that is dead.
  TimePoint EndOfAlarms() const {
    TimePoint end{};
    for (const hwsim::FaultRule& rule : options_.card.faults.rules) {
      if (rule.kind != hwsim::FaultKind::kHeartbeatFalseAlarm) continue;
      const Duration lasts = rule.time.value_or(*hwsim::FormOf(rule.kind).time);
      end = std::max(end, TimePoint{} + *options_.faults_end + lasts);
    }
    return end;
  }

  // As whoever operates it would.
  void ResetCard() {
    Note(EventKind::kReset);
    rules_.NoteReset();
    card_->Reset();
    rings_.Look();
  }

  // Every slot is used once more, with the faults over.
  void Prove() {
    constexpr uint32_t kSlotsMax = 64;
    if (!closing_) {
      AdvanceTo(std::max(Now(), TimePoint{} + *options_.faults_end));
      EndFaults();
    }
    // What was given up has to come back, and the card to come up.
    const auto is_quiet = [&] {
      const CardState state = card_->state();
      return engine_->in_flight() == 0 && (state == CardState::kUp || state == CardState::kLost);
    };
    const auto calm_down = [&] {
      for (engine_->Poll(); !is_quiet() && StepTo(end_); engine_->Poll()) {
      }
      return is_quiet();
    };
    if (!calm_down()) return GiveUp();
    // One that hangs with nothing on it is noticed by nobody.
    if (options_.card.faults.Has(hwsim::FaultKind::kCardHang)) ResetCard();
    AdvanceTo(std::max(Now(), EndOfAlarms()));
    if (!calm_down()) return GiveUp();
    proving_ = true;
    Note(EventKind::kProof);
    for (uint32_t index = 0; index < QueuePairs(); ++index) {
      const uint32_t slots = std::min(card_->queue_pairs()[index]->depth(), kSlotsMax);
      for (uint32_t i = 0; i < slots; ++i) AddJob(index, 1);
    }
    while (!AllFinished()) Turn();
  }

  void GiveUp() {
    patience_over_ = true;
    turns_ = 0;
    Note(EventKind::kGaveUp);
    if (watch_.on_stuck) watch_.on_stuck();
    for (ScenarioJob& job : jobs_) {
      for (int tries = 0; job.paused(); ++tries) {
        if (tries == 1000) {
          Break("a job that is cancelled does not end");
          static_cast<void>(job.fibre.release());
          static_cast<void>(job.task.release());
          static_cast<void>(job.operation.release());
          break;
        }
        job.cancelled = true;
        engine_->Cancel(*job.operation);
        if (job.paused()) Resume(job);
      }
    }
  }

  // Nothing may be left behind; then the counts.
  void Settle() {
    for (ScenarioJob& job : jobs_) {
      if (!job.freed) job.context->Close();
      job.freed = true;
    }
    // What was given up and is on the card still: it comes back, or the engine gets it back.
    const TimePoint end = Now() + kAfterlife;
    for (engine_->Poll(); engine_->in_flight() != 0 && StepTo(end); engine_->Poll()) {
    }
    rules_.NoteFaults();
    rules_.CheckCounts(*engine_);
    for (const hwsim::UniqueFd& sentinel : sentinels_) {
      if (IsReadable(sentinel.get())) Break("a wait fd was signalled after its context was freed");
    }
    if (options_.faults_end && rings_.in_flight() != 0) {
      Break(std::to_string(rings_.in_flight()) + " requests are on the card for good");
    }
    if (ended_ != started_) Break("each run ends once");
    Count();
    result_.hash = log_.hash();
  }

  void Count() {
    const Engine::Stats stats = engine_->stats();
    auto& counts = result_.counts;
    counts["spurious"] = stats.spurious_resumes;
    counts["retried"] = stats.retried;
    counts["late"] = stats.late;
    counts["resets"] = stats.resets;
    counts["false_alarms"] = stats.heartbeat_false_alarms;
    counts["told_again"] = stats.told_again;
    counts["left_on_card"] = engine_->in_flight();
    counts["interrupts"] = card_->stats().interrupts;
    CountFaults();
  }

  void CountFaults() {
    result_.counts["faults"] = card_->fault_log().total();
    result_.faults = rules_.faults();
    result_.fault_log = card_->fault_log().Text();
  }

  const ScenarioOptions& options_;
  const ScenarioWatch& watch_;
  EventLog own_log_{false};
  EventLog& log_;
  hwsim::Random chance_;
  const std::thread::id thread_ = std::this_thread::get_id();
  ScenarioResult result_;
  RingBooks rings_;
  ScenarioRules rules_;
  hwsim::VirtualCard* card_ = nullptr;
  std::unique_ptr<hwsim::VirtualCard> bare_card_;  // without an engine that owns it
  std::unique_ptr<Engine> engine_;
  std::deque<std::pair<Application*, ScenarioJob*>> links_;  // what callbacks are given
  std::deque<ScenarioJob>
      jobs_;  // before the engine in ending: their operations may be on its card
  std::vector<hwsim::UniqueFd> sentinels_;
  std::vector<pollfd> polled_;
  std::vector<ScenarioJob*> polled_jobs_;

  ScenarioJob* running_ = nullptr;
  uint64_t started_ = 0;
  uint64_t ended_ = 0;
  uint32_t turns_ = 0;  // since time last moved
  TimePoint end_{};
  bool all_freed_ = false;
  bool closing_ = false;  // the faults are over
  bool proving_ = false;
  bool spun_ = false;  // in this turn, jobs were resumed and found no space
  bool patience_over_ = false;
  bool watchdog_due_ = true;
  TimePoint last_look_{};
};

hwsim::Expected<ScenarioResult> RunApplication(const ScenarioOptions& options,
                                               const ScenarioWatch& watch) {
  Application application(options, watch);
  if (auto created = application.Create(); !created) {
    return hwsim::Unexpected(std::move(created.error()));
  }
  return application.Run();
}

size_t OpenDescriptors() {
  using std::filesystem::directory_iterator;
  std::error_code error;  // none are left: none are counted
  return static_cast<size_t>(
      std::distance(directory_iterator("/proc/self/fd", error), directory_iterator()));
}

}  // namespace

hwsim::Expected<ScenarioResult> RunScenario(const ScenarioOptions& options,
                                            const ScenarioWatch& watch) {
  const size_t before = OpenDescriptors();
  auto result = RunApplication(options, watch);
  const size_t after = OpenDescriptors();
  if (after == before) return result;
  const std::string rule = std::to_string(after) + " descriptors are open after the run, and " +
                           std::to_string(before) + " were before";
  if (watch.log != nullptr) {
    const TimePoint end = TimePoint{} + (result ? result->took : Duration::zero());
    watch.log->Append({.at = end, .kind = EventKind::kBroken});
  }
  if (result) result->broken.push_back(rule);
  if (watch.on_broken) watch.on_broken(rule);
  return result;
}

}  // namespace tools
