#include "engine/openssl/options.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/base/enum_names.h"
#include "hwsim/base/parse_number.h"
#include "hwsim/config/known_names.h"
#include "hwsim/config/profile_toml.h"

namespace engine::openssl {

namespace {

using hwsim::Expected;

// Sets an option from its text. Returns what is allowed, or an empty string on success.
using Setter = std::function<std::string(OffloadOptions&, std::string_view)>;

struct Option {
  std::string_view name;
  Setter set;
};

Setter Number(uint64_t low, uint64_t high,
              const std::function<void(OffloadOptions&, uint64_t)>& store) {
  return [=](OffloadOptions& options, std::string_view text) -> std::string {
    const auto number = hwsim::ParseNumber(text);
    if (!number || *number < low || *number > high) {
      return std::to_string(low) + " to " + std::to_string(high);
    }
    store(options, *number);
    return {};
  };
}

// The option takes one of `names`, which live as long as the program.
template <typename T>
Setter OneOf(std::span<const hwsim::EnumName<T>> names, T OffloadOptions::*member) {
  return [=](OffloadOptions& options, std::string_view text) -> std::string {
    std::vector<std::string_view> allowed;
    for (const auto& [value, name] : names) {
      if (name == text) {
        options.*member = value;
        return {};
      }
      allowed.push_back(name);
    }
    return hwsim::config::JoinedNames(allowed);
  };
}

// The option takes one of the enumeration's names.
template <typename T>
Setter OneOf(T OffloadOptions::*member) {
  return OneOf<T>(hwsim::EnumNames<T>::kEntries, member);
}

Setter Switch(bool OffloadOptions::*member) {
  static constexpr auto kNames = std::to_array<hwsim::EnumName<bool>>(
      {{true, "on"}, {false, "off"}, {true, "1"}, {false, "0"}, {true, "yes"}, {false, "no"}});
  return OneOf<bool>(kNames, member);
}

// Checks the name already here, so that the error names the option.
std::string SetProfile(OffloadOptions& options, std::string_view text) {
  const auto names = hwsim::config::ShippedProfileNames();
  if (std::find(names.begin(), names.end(), text) == names.end())
    return hwsim::config::JoinedNames(names);
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
      {"transport", OneOf(&OffloadOptions::transport)},
      {"completion", OneOf(&OffloadOptions::completion)},
      {"poll_interval_us", Number(1, 1'000'000,
                                  [](OffloadOptions& options, uint64_t value) {
                                    options.poll_interval = std::chrono::microseconds(value);
                                  })},
      {"watchdog_interval_ms", Number(1, 60'000,
                                      [](OffloadOptions& options, uint64_t value) {
                                        options.watchdog_interval =
                                            std::chrono::milliseconds(value);
                                      })},
      {"retry", OneOf(&OffloadOptions::retry)},
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
                           hwsim::config::Suggestion(name, Names()));
}

Expected<void> OffloadOptions::SetFromEnvironment() {
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
  // A misspelt name would have no effect. Names unlike any option belong to other programs.
  for (const char* const* entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view variable = text.substr(0, text.find('='));
    if (!variable.starts_with(kEnvironmentPrefix)) continue;
    const auto nearest = hwsim::config::NearestName(variable, names);
    if (!nearest || *nearest == variable) continue;
    return hwsim::Unexpected(std::string(variable) + ": no such variable; " +
                             hwsim::config::Suggestion(variable, names));
  }
  return {};
}

}  // namespace engine::openssl
