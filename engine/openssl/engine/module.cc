#include "engine/openssl/engine/module.h"

#include <pthread.h>

#include <memory>

#include "hwsim/config/profile_section.h"

namespace engine::openssl::engine {

using hwsim::Expected;
using hwsim::completion::CompletionMode;

namespace {

// True while the thread runs a call for the card.
thread_local bool runs_card_call = false;

class CardCallScope {
 public:
  CardCallScope() : before_(std::exchange(runs_card_call, true)) {}
  ~CardCallScope() { runs_card_call = before_; }
  CardCallScope(const CardCallScope&) = delete;
  CardCallScope& operator=(const CardCallScope&) = delete;

 private:
  const bool before_;
};

CompletionMode CompletionOf(const Module::Settings& settings) {
  if (settings.external_polling || settings.inline_polling) return CompletionMode::kInline;
  if (!settings.event_driven) return settings.offload.completion;
  return *settings.event_driven ? CompletionMode::kInterrupt : CompletionMode::kPolling;
}

// With `section`, reads only that section of the file, which may describe several cards.
Expected<Offload*> CreateOffload(const OffloadOptions& options, const std::string& section) {
  if (section.empty() || options.config.empty()) return Offload::Create(options);
  auto profile = hwsim::config::LoadProfileSection(options.config, section);
  if (!profile) return hwsim::Unexpected(std::move(profile.error()));
  return Offload::Create(options, std::move(*profile));
}

}  // namespace

Module& Module::Get() {
  static auto* const module = new Module;
  return *module;
}

Module::Settings Module::StandardSettings() {
  Settings settings;
  // As in the QAT engine, software takes over only with ENABLE_SW_FALLBACK.
  settings.offload.software_fallback = false;
  return settings;
}

Expected<void> Module::Change(const std::function<Expected<void>(Settings&)>& change) {
  const std::lock_guard lock(mutex_);
  if (offload() != nullptr) {
    return hwsim::Unexpected("the engine has started; give this command before ENGINE_init");
  }
  Settings changed = settings_;
  if (auto made = change(changed); !made) return made;
  settings_ = std::move(changed);
  return {};
}

Expected<void> Module::Start() {
  const std::lock_guard lock(mutex_);
  if (offload() != nullptr) return {};
  if (auto set = settings_.offload.SetFromEnvironment(); !set) return set;
  OffloadOptions options = settings_.offload;
  options.completion = CompletionOf(settings_);
  auto made = CreateOffload(options, settings_.section);
  if (!made) return hwsim::Unexpected(std::move(made.error()));
  (*made)->SetRetriesMax(retries_max_);
  // Registered after Offload's handlers, so that a fork locks this mutex before Offload's, as Start
  // does.
  ::pthread_atfork(&LockBeforeFork, &UnlockInParent, &ResetInChild);
  offload_.store(*made, std::memory_order_release);
  return {};
}

void Module::SetPollInterval(hwsim::Duration interval) {
  const std::lock_guard lock(mutex_);
  settings_.offload.poll_interval = interval;
  if (Engine* const engine = StartedEngine()) engine->SetPollInterval(interval);
}

void Module::SetWatchdogInterval(hwsim::Duration interval) {
  const std::lock_guard lock(mutex_);
  settings_.offload.watchdog_interval = interval;
  if (Engine* const engine = StartedEngine()) engine->SetWatchdogInterval(interval);
}

void Module::SetRetriesMax(std::optional<uint32_t> retries_max) {
  const std::lock_guard lock(mutex_);
  retries_max_ = retries_max;
  if (Offload* const started = offload()) started->SetRetriesMax(retries_max);
}

Engine* Module::StartedEngine() const {
  Offload* const started = offload();
  return started == nullptr ? nullptr : started->engine();
}

bool Module::GoesToCard(Algorithm algorithm) {
  // Relaxed: a call that a switch does not reach in time goes by the old value.
  return !runs_card_call && offload() != nullptr && enabled_.load(std::memory_order_relaxed) &&
         (algorithms_.load(std::memory_order_relaxed) & static_cast<uint32_t>(algorithm)) != 0;
}

// Counts one call as in flight for as long as it lives.
class Module::InFlightCount {
 public:
  InFlightCount(Module& module, RequestClass request_class)
      : module_(module),
        count_(*module.in_flight(request_class)),
        forks_(module.forks_.load(std::memory_order_relaxed)) {
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  ~InFlightCount() {
    // A child's count does not contain its parent's calls.
    if (forks_ != module_.forks_.load(std::memory_order_relaxed)) return;
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  InFlightCount(const InFlightCount&) = delete;
  InFlightCount& operator=(const InFlightCount&) = delete;

 private:
  const Module& module_;
  const std::atomic_ref<int> count_;
  const uint32_t forks_;
};

Call::Function Module::WrapForCard(RequestClass request_class, Call::Function function) {
  return [function = std::move(function),
          in_flight = std::make_shared<InFlightCount>(*this, request_class)](CallBytes& out) {
    const CardCallScope scope;
    return function(out);
  };
}

void Module::LockBeforeFork() { Get().mutex_.lock(); }

void Module::UnlockInParent() { Get().mutex_.unlock(); }

void Module::ResetInChild() {
  Module& module = Get();
  module.in_flight_.fill(0);
  module.forks_.fetch_add(1, std::memory_order_relaxed);
  module.mutex_.unlock();
}

}  // namespace engine::openssl::engine
