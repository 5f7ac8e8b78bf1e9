#include "engine/openssl/offload.h"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "engine/openssl/exit_gate.h"
#include "hwsim/card/real_card.h"
#include "hwsim/config/profile_toml.h"

namespace engine::openssl {

using hwsim::Expected;

struct Offload::ProcessEngine {
  std::unique_ptr<LibcryptoJobs> jobs;  // before `engine`, which uses it
  std::unique_ptr<Engine> engine;
};

namespace {

thread_local std::string last_failure;
thread_local std::optional<uint32_t> queue_pair_of_thread;

// Every Offload of this process, for fork and exit. Grows only, under its mutex.
struct Registry {
  std::mutex mutex;
  std::vector<Offload*> all;
};
Registry& GetRegistry() {
  static auto* const registry = new Registry;
  return *registry;
}

// Returns a copy, because callbacks of the application run while the caller goes through the list.
std::vector<Offload*> AllOffloads() {
  const std::lock_guard lock(GetRegistry().mutex);
  return GetRegistry().all;
}

// Why a run with this outcome failed; empty when the work itself failed.
std::string FailureReason(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
    case Outcome::kFailed:
      return {};
    case Outcome::kDeviceError:
      return "the card failed the request";
    case Outcome::kRefused:
      return "the card refused the request";
    case Outcome::kTimedOut:
      return "the card did not answer within time_limit_ms";
    case Outcome::kCancelled:
    case Outcome::kBusy:
      break;
  }
  return "the run ended as " + std::string(OutcomeName(outcome));
}

}  // namespace

const std::string& Offload::failure_reason() { return last_failure; }

Expected<Offload*> Offload::Create(const OffloadOptions& options) {
  auto profile = options.config.empty() ? hwsim::config::ShippedProfile(options.profile)
                                        : hwsim::config::LoadProfile(options.config);
  if (!profile) return hwsim::Unexpected(profile.error());
  return Create(options, std::move(*profile));
}

Expected<Offload*> Offload::Create(const OffloadOptions& options, hwsim::model::Profile profile) {
  if (options.queue_pairs > profile.queue_pairs_max) {
    return hwsim::Unexpected("queue_pairs: " + std::to_string(options.queue_pairs) +
                             " is not allowed; the card of profile \"" + profile.name + "\" has " +
                             std::to_string(profile.queue_pairs_max));
  }
  auto* const offload = new Offload(options, std::move(profile));
  Registry& registry = GetRegistry();
  const std::lock_guard lock(registry.mutex);
  if (registry.all.empty()) {
    ::pthread_atfork(&LockBeforeFork, &UnlockAfterFork, &ResetInChild);
    std::atexit([] {
      for (Offload* offload : AllOffloads()) offload->PrintStatistics();
      ExitGate::Close();
    });
  }
  registry.all.push_back(offload);
  return offload;
}

void Offload::LockBeforeFork() {
  GetRegistry().mutex.lock();
  for (Offload* offload : GetRegistry().all) offload->mutex_.lock();
  ExitGate::Hold();
}

void Offload::UnlockAfterFork() {
  ExitGate::ReopenInParent();
  for (Offload* offload : GetRegistry().all) offload->mutex_.unlock();
  GetRegistry().mutex.unlock();
}

void Offload::ResetInChild() {
  ExitGate::ReopenInChild();
  for (Offload* offload : GetRegistry().all) {
    // Not freed: its threads do not exist in the child.
    offload->process_engine_.store(nullptr, std::memory_order_relaxed);
    offload->software_.store(0, std::memory_order_relaxed);
  }
  UnlockAfterFork();
}

Expected<std::unique_ptr<Offload::ProcessEngine>> Offload::MakeProcessEngine() const {
  auto jobs = LibcryptoJobs::Create();
  if (!jobs) return hwsim::Unexpected(std::move(jobs.error()));
  auto card = hwsim::card::RealCard::Create({.profile = profile_,
                                             .queue_pairs = options_.queue_pairs,
                                             .depth = options_.depth,
                                             .transport = options_.transport,
                                             .execution_threads = options_.execution_threads,
                                             .seed = options_.seed});
  if (!card) return hwsim::Unexpected(std::move(card.error()));
  auto engine =
      Engine::Create(std::move(*card), {.completion = options_.completion,
                                        .poll_interval = options_.poll_interval,
                                        .watchdog_interval = options_.watchdog_interval,
                                        .retry = options_.retry,
                                        .callback_when_space = options_.callback_when_space,
                                        .binding = jobs->get()});
  if (!engine) return hwsim::Unexpected(std::move(engine.error()));
  auto made = std::make_unique<ProcessEngine>();
  made->jobs = std::move(*jobs);
  made->engine = std::move(*engine);
  return made;
}

Offload::ProcessEngine* Offload::GetProcessEngine() {
  if (ProcessEngine* made = process_engine_.load(std::memory_order_acquire)) return made;
  const std::lock_guard lock(mutex_);
  if (ProcessEngine* made = process_engine_.load(std::memory_order_relaxed)) return made;
  auto made = MakeProcessEngine();
  if (!made) {
    last_failure = made.error().message;
    return nullptr;
  }
  process_engine_.store(made->get(), std::memory_order_release);
  return made->release();
}

Offload::Ending Offload::RunOnCard(OperationHandle& operation) {
  ExitGate::NoteApplicationThread();
  if (ExitGate::closed()) return Ending::kRunInCaller;
  ProcessEngine* const process_engine = GetProcessEngine();
  if (process_engine == nullptr) {
    if (!options_.software_fallback) return Ending::kFailed;
    software_.fetch_add(1, std::memory_order_relaxed);
    return Ending::kRunInCaller;
  }
  const Recovery recovery{.attempts_max = options_.attempts_max,
                          .wait_for_restart = options_.wait_for_restart,
                          .software_fallback = options_.software_fallback};
  const uint64_t retries = retries_max_.load(std::memory_order_relaxed);
  const Outcome outcome = process_engine->engine->Run(
      operation,
      {.time_limit = options_.time_limit,
       .queue_pair = queue_pair_of_thread,
       .recovery = recovery,
       .retries_max =
           retries == kNoLimit ? std::nullopt : std::optional(static_cast<uint32_t>(retries))});
  last_failure = FailureReason(outcome);
  return outcome == Outcome::kOk ? Ending::kDone : Ending::kFailed;
}

Engine* Offload::engine() {
  ProcessEngine* const process_engine = GetProcessEngine();
  return process_engine == nullptr ? nullptr : process_engine->engine.get();
}

void Offload::UseQueuePairInThread(uint32_t queue_pair) { queue_pair_of_thread = queue_pair; }

size_t Offload::Poll(size_t quota) {
  ProcessEngine* const process_engine = process_engine_.load(std::memory_order_acquire);
  return process_engine == nullptr ? 0 : process_engine->engine->Poll(quota);
}

size_t Offload::in_flight() {
  ProcessEngine* const process_engine = process_engine_.load(std::memory_order_acquire);
  return process_engine == nullptr ? 0 : process_engine->engine->in_flight();
}

size_t Offload::PollAll(size_t quota) {
  size_t completed = 0;
  for (Offload* offload : AllOffloads()) completed += offload->Poll(quota);
  return completed;
}

size_t Offload::InFlightOfAll() {
  size_t total = 0;
  for (Offload* offload : AllOffloads()) total += offload->in_flight();
  return total;
}

Offload::Stats Offload::stats() {
  Stats stats{.software = software_.load(std::memory_order_relaxed)};
  ProcessEngine* const process_engine = process_engine_.load(std::memory_order_acquire);
  if (process_engine == nullptr) return stats;
  const Engine::Stats counts = process_engine->engine->stats();
  stats.requests = counts.accepted;
  stats.retries = counts.again;
  stats.completions = counts.succeeded + counts.failed;
  stats.in_flight = counts.accepted - stats.completions;
  stats.software += counts.in_software;
  stats.given_up = counts.cancelled + counts.timed_out;
  return stats;
}

void Offload::PrintStatistics() {
  if (!options_.statistics) return;
  const Stats counts = stats();
  std::fprintf(stderr,
               "ghostcard: %llu requests, %llu completions, %llu in flight, %llu retries, "
               "%llu in software, %llu given up\n",
               static_cast<unsigned long long>(counts.requests),
               static_cast<unsigned long long>(counts.completions),
               static_cast<unsigned long long>(counts.in_flight),
               static_cast<unsigned long long>(counts.retries),
               static_cast<unsigned long long>(counts.software),
               static_cast<unsigned long long>(counts.given_up));
}

}  // namespace engine::openssl
