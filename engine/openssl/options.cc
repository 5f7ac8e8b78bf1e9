#include "engine/openssl/options.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <span>

#include "hwsim/model/known_names.h"
#include "hwsim/model/profile_toml.h"

namespace engine {

namespace {

using hwsim::CompletionMode;
using hwsim::Expected;
using hwsim::TransportKind;

// What a value must look like, or an empty string: it was taken.
using Setter = std::function<std::string(OffloadOptions&, std::string_view)>;

struct Option {
  std::string_view name;
  Setter set;
};

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Setter Number(uint64_t low, uint64_t high,
              const std::function<void(OffloadOptions&, uint64_t)>& store) {
  return [=](OffloadOptions& options, std::string_view text) -> std::string {
    const auto number = ParseNumber(text);
    if (!number || *number < low || *number > high) {
      return std::to_string(low) + " to " + std::to_string(high);
    }
    store(options, *number);
    return {};
  };
}

template <typename T>
struct Choice {
  std::string_view name;
  T value;
};

template <typename T>
Setter OneOf(std::vector<Choice<T>> choices, T OffloadOptions::*member) {
  return [=](OffloadOptions& options, std::string_view text) -> std::string {
    std::string allowed;
    for (const Choice<T>& choice : choices) {
      if (choice.name == text) {
        options.*member = choice.value;
        return {};
      }
      allowed += (allowed.empty() ? "" : ", ") + std::string(choice.name);
    }
    return allowed;
  };
}

Setter Switch(bool OffloadOptions::*member) {
  return OneOf<bool>(
      {{"on", true}, {"off", false}, {"1", true}, {"0", false}, {"yes", true}, {"no", false}},
      member);
}

// The card's name is checked here and not with the card, so that the mistake is told where it is
// made.
std::string SetProfile(OffloadOptions& options, std::string_view text) {
  const auto names = hwsim::ShippedProfileNames();
  if (std::find(names.begin(), names.end(), text) == names.end()) return hwsim::JoinedNames(names);
  options.profile = text;
  return {};
}

std::string SetConfig(OffloadOptions& options, std::string_view text) {
  if (text.empty()) return "a file's name";
  options.config = text;
  return {};
}

Setter Threshold(SizedWork work) {
  return Number(0, UINT32_MAX, [=](OffloadOptions& options, uint64_t bytes) {
    options.threshold(work) = static_cast<uint32_t>(bytes);
  });
}

std::span<const Option> AllOptions() {
  static const std::vector<Option>* const all = new std::vector<Option>{
      {"profile", SetProfile},
      {"config", SetConfig},
      {"transport", OneOf<TransportKind>({{"auto", TransportKind::kAuto},
                                          {"uring", TransportKind::kUring},
                                          {"memory", TransportKind::kMemory}},
                                         &OffloadOptions::transport)},
      {"completion", OneOf<CompletionMode>({{"interrupt", CompletionMode::kInterrupt},
                                            {"polling", CompletionMode::kPolling},
                                            {"inline", CompletionMode::kInline}},
                                           &OffloadOptions::completion)},
      {"poll_interval_us", Number(1, 1'000'000,
                                  [](OffloadOptions& options, uint64_t value) {
                                    options.poll_interval = std::chrono::microseconds(value);
                                  })},
      {"watchdog_interval_ms", Number(1, 60'000,
                                      [](OffloadOptions& options, uint64_t value) {
                                        options.watchdog_interval =
                                            std::chrono::milliseconds(value);
                                      })},
      {"retry", OneOf<RetryPolicy>({{"when_space", RetryPolicy::kWhenSpace},
                                    {"immediate", RetryPolicy::kImmediate}},
                                   &OffloadOptions::retry)},
      {"callback_when_space", Switch(&OffloadOptions::callback_when_space)},
      {"queue_pairs", Number(1, 1024,
                             [](OffloadOptions& options, uint64_t value) {
                               options.queue_pairs = static_cast<uint32_t>(value);
                             })},
      {"depth", Number(0, 32768,
                       [](OffloadOptions& options, uint64_t value) {
                         options.depth = static_cast<uint32_t>(value);
                       })},
      {"execution_threads", Number(0, 64,
                                   [](OffloadOptions& options, uint64_t value) {
                                     options.execution_threads = static_cast<uint32_t>(value);
                                   })},
      {"time_limit_ms", Number(0, 3'600'000,
                               [](OffloadOptions& options, uint64_t value) {
                                 options.time_limit.reset();
                                 if (value != 0) options.time_limit.emplace(value);
                               })},
      {"attempts_max", Number(1, 100,
                              [](OffloadOptions& options, uint64_t value) {
                                options.attempts_max = static_cast<uint32_t>(value);
                              })},
      {"wait_for_restart", Switch(&OffloadOptions::wait_for_restart)},
      {"software_fallback", Switch(&OffloadOptions::software_fallback)},
      {"key_exchange", Switch(&OffloadOptions::key_exchange)},
      {"statistics", Switch(&OffloadOptions::statistics)},
      {"seed", Number(0, UINT64_MAX,
                      [](OffloadOptions& options, uint64_t value) { options.seed = value; })},
      {"threshold_digest", Threshold(SizedWork::kDigest)},
      {"threshold_mac", Threshold(SizedWork::kMac)},
      {"threshold_cbc", Threshold(SizedWork::kCbc)},
      {"threshold_ctr", Threshold(SizedWork::kCtr)},
      {"threshold_gcm", Threshold(SizedWork::kGcm)},
      {"threshold_chacha20_poly1305", Threshold(SizedWork::kChaCha20Poly1305)},
      {"threshold_kdf", Threshold(SizedWork::kKdf)},
  };
  return *all;
}

constexpr std::string_view kEnvironmentPrefix = "GHOSTCARD_";

std::string EnvironmentName(std::string_view name) {
  std::string result(kEnvironmentPrefix);
  for (const char letter : name) {
    result += static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
  }
  return result;
}

}  // namespace

std::vector<std::string_view> OffloadOptions::Names() {
  std::vector<std::string_view> names;
  for (const Option& option : AllOptions()) names.push_back(option.name);
  return names;
}

Expected<void> OffloadOptions::Set(std::string_view name, std::string_view value) {
  for (const Option& option : AllOptions()) {
    if (option.name != name) continue;
    const std::string allowed = option.set(*this, value);
    if (allowed.empty()) return {};
    return hwsim::Unexpected(std::string(name) + ": \"" + std::string(value) +
                             "\" is not allowed; " + allowed);
  }
  return hwsim::Unexpected(std::string(name) + ": no such option; " +
                           hwsim::Suggestion(name, Names()));
}

Expected<void> OffloadOptions::SetFromEnvironment() {
  // A program with the rights of somebody else does not listen to its caller.
  if (::getauxval(AT_SECURE) != 0) return {};
  std::vector<std::string> known;
  for (const Option& option : AllOptions()) {
    const std::string& variable = known.emplace_back(EnvironmentName(option.name));
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr) continue;
    auto set = Set(option.name, value);
    if (!set) return hwsim::Unexpected(variable + ": " + set.error().message);
  }
  const std::vector<std::string_view> names(known.begin(), known.end());
  // One that is misspelt would otherwise be one that does nothing. Others are somebody else's.
  for (const char* const* entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view variable = text.substr(0, text.find('='));
    if (!variable.starts_with(kEnvironmentPrefix)) continue;
    const auto meant = hwsim::NearestName(variable, names);
    if (!meant || *meant == variable) continue;
    return hwsim::Unexpected(std::string(variable) + ": no such variable; " +
                             hwsim::Suggestion(variable, names));
  }
  return {};
}

}  // namespace engine
