#include "engine/openssl/offload.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "engine/openssl/exit_gate.h"
#include "hwsim/model/profile_toml.h"
#include "hwsim/real_card.h"

namespace engine {

using hwsim::Expected;

struct Offload::Machine {
  // In the order in which they would end.
  std::unique_ptr<LibcryptoJobs> jobs;
  std::unique_ptr<Engine> engine;
  pid_t process = 0;
};

namespace {

thread_local std::string last_reason;
thread_local std::optional<uint32_t> queue_pair_of_thread;

// All that were made, for fork and exit. Appended to only, under its mutex.
struct Registry {
  std::mutex mutex;
  std::vector<Offload*> all;
};
Registry& TheRegistry() {
  static auto* const registry = new Registry;
  return *registry;
}

// A copy: user code runs while the caller goes through them.
std::vector<Offload*> AllOffloads() {
  const std::lock_guard lock(TheRegistry().mutex);
  return TheRegistry().all;
}

}  // namespace

const std::string& Offload::reason() { return last_reason; }

Expected<Offload*> Offload::Create(const OffloadOptions& options) {
  auto profile = options.config.empty() ? hwsim::ShippedProfile(options.profile)
                                        : hwsim::LoadProfile(options.config);
  if (!profile) return hwsim::Unexpected(profile.error());
  return Create(options, std::move(*profile));
}

Expected<Offload*> Offload::Create(const OffloadOptions& options, hwsim::Profile profile) {
  if (options.queue_pairs > profile.queue_pairs_max) {
    return hwsim::Unexpected("queue_pairs: " + std::to_string(options.queue_pairs) +
                             " is not allowed; the card of profile \"" + profile.name + "\" has " +
                             std::to_string(profile.queue_pairs_max));
  }
  auto* const offload = new Offload(options, std::move(profile));
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  if (registry.all.empty()) {
    ::pthread_atfork(&StopAtFork, &GoOnInParent, &StartAnewInChild);
    std::atexit([] {
      for (Offload* one : AllOffloads()) one->PrintStatistics();
      ExitGate::Close();
    });
  }
  registry.all.push_back(offload);
  return offload;
}

void Offload::StopAtFork() {
  TheRegistry().mutex.lock();
  for (Offload* one : TheRegistry().all) one->mutex_.lock();
  ExitGate::Hold();
}

void Offload::GoOnInParent() {
  ExitGate::GoOn();
  for (Offload* one : TheRegistry().all) one->mutex_.unlock();
  TheRegistry().mutex.unlock();
}

void Offload::StartAnewInChild() {
  ExitGate::StartAnew();
  for (Offload* one : TheRegistry().all) {
    one->machine_.store(nullptr, std::memory_order_relaxed);  // its threads are not here
    one->software_.store(0, std::memory_order_relaxed);
  }
  GoOnInParent();
}

Offload::Machine* Offload::TheMachine() {
  if (Machine* machine = machine_.load(std::memory_order_acquire)) return machine;
  const std::lock_guard lock(mutex_);
  if (Machine* machine = machine_.load(std::memory_order_relaxed)) return machine;
  auto machine = std::make_unique<Machine>();
  auto jobs = LibcryptoJobs::Create();
  if (!jobs) {
    last_reason = jobs.error().message;
    return nullptr;
  }
  machine->jobs = std::move(*jobs);
  auto card = hwsim::RealCard::Create({.profile = profile_,
                                       .queue_pairs = options_.queue_pairs,
                                       .depth = options_.depth,
                                       .transport = options_.transport,
                                       .execution_threads = options_.execution_threads,
                                       .seed = options_.seed});
  if (!card) {
    last_reason = card.error().message;
    return nullptr;
  }
  auto engine =
      Engine::Create(std::move(*card), {.completion = options_.completion,
                                        .poll_interval = options_.poll_interval,
                                        .watchdog_interval = options_.watchdog_interval,
                                        .retry = options_.retry,
                                        .callback_when_space = options_.callback_when_space,
                                        .binding = machine->jobs.get()});
  if (!engine) {
    last_reason = engine.error().message;
    return nullptr;
  }
  machine->engine = std::move(*engine);
  machine->process = ::getpid();
  machine_.store(machine.get(), std::memory_order_release);
  return machine.release();
}

Offload::Ending Offload::RunOnCard(OperationHandle& operation) {
  ExitGate::NoteApplicationThread();
  if (ExitGate::closed()) return Ending::kCallersTurn;
  Machine* const machine = TheMachine();
  if (machine == nullptr) {  // the reason is there
    if (!options_.software_fallback) return Ending::kFailed;
    software_.fetch_add(1, std::memory_order_relaxed);
    return Ending::kCallersTurn;
  }
  const Recovery recovery{.attempts_max = options_.attempts_max,
                          .wait_for_restart = options_.wait_for_restart,
                          .software_fallback = options_.software_fallback};
  const uint64_t retries = retries_max_.load(std::memory_order_relaxed);
  const Outcome outcome = machine->engine->Run(
      operation,
      {.time_limit = options_.time_limit,
       .queue_pair = queue_pair_of_thread,
       .recovery = recovery,
       .retries_max =
           retries == kNoLimit ? std::nullopt : std::optional(static_cast<uint32_t>(retries))});
  last_reason.clear();
  switch (outcome) {
    case Outcome::kOk:
      return Ending::kDone;
    case Outcome::kFailed:
      return Ending::kFailed;
    case Outcome::kDeviceError:
      last_reason = "the card failed the request";
      return Ending::kFailed;
    case Outcome::kRefused:
      last_reason = "the card refused the request";
      return Ending::kFailed;
    case Outcome::kTimedOut:
      last_reason = "the card did not answer within time_limit_ms";
      return Ending::kFailed;
    case Outcome::kCancelled:
    case Outcome::kBusy:
      break;
  }
  last_reason = "the run ended as " + std::string(OutcomeName(outcome));
  return Ending::kFailed;
}

Engine* Offload::engine() {
  Machine* const machine = TheMachine();
  return machine == nullptr ? nullptr : machine->engine.get();
}

void Offload::UseQueuePairInThread(uint32_t queue_pair) { queue_pair_of_thread = queue_pair; }

size_t Offload::Poll(size_t quota) {
  Machine* const machine = machine_.load(std::memory_order_acquire);
  return machine == nullptr ? 0 : machine->engine->Poll(quota);
}

size_t Offload::in_flight() {
  Machine* const machine = machine_.load(std::memory_order_acquire);
  return machine == nullptr ? 0 : machine->engine->in_flight();
}

size_t Offload::PollAll(size_t quota) {
  size_t completed = 0;
  for (Offload* one : AllOffloads()) completed += one->Poll(quota);
  return completed;
}

size_t Offload::InFlightOfAll() {
  size_t total = 0;
  for (Offload* one : AllOffloads()) total += one->in_flight();
  return total;
}

Offload::Stats Offload::stats() {
  Stats stats{.software = software_.load(std::memory_order_relaxed)};
  Machine* const machine = machine_.load(std::memory_order_acquire);
  if (machine == nullptr) return stats;
  const Engine::Stats counts = machine->engine->stats();
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

}  // namespace engine
