// OffloadOptions: the options of a process's card, from a configuration file and the environment.
//
// An option has one name everywhere: NAME = value in the module's section of openssl.cnf, and
// GHOSTCARD_NAME, in capitals, in the environment. The environment takes precedence.
// Threads: a value type; one thread at a time.
#ifndef GHOSTCARD_ENGINE_OPENSSL_OPTIONS_H_
#define GHOSTCARD_ENGINE_OPENSSL_OPTIONS_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "hwsim/base/error.h"
#include "hwsim/completion/completion_service.h"
#include "hwsim/rings/transport.h"

namespace engine::openssl {

// Work that goes to the card when its data reaches a threshold.
enum class SizedWork : uint8_t { kDigest, kMac, kCbc, kCtr, kGcm, kChaCha20Poly1305, kKdf };
inline constexpr size_t kSizedWorkCount = 7;

struct OffloadOptions {
  std::string profile = "ideal";  // `profile`: a shipped profile
  std::string config;             // `config`: a TOML file, used instead of `profile`
  hwsim::rings::TransportKind transport = hwsim::rings::TransportKind::kAuto;  // `transport`
  hwsim::completion::CompletionMode completion =
      hwsim::completion::CompletionMode::kInterrupt;                   // `completion`
  hwsim::Duration poll_interval = std::chrono::microseconds(10);       // `poll_interval_us`
  hwsim::Duration watchdog_interval = std::chrono::milliseconds(200);  // `watchdog_interval_ms`
  RetryPolicy retry = RetryPolicy::kWhenSpace;                         // `retry`
  // Also call the callback when there is space after EAGAIN. Off: the application resumes such a
  // job by itself.
  bool callback_when_space = true;                      // `callback_when_space`
  uint32_t queue_pairs = 2;                             // `queue_pairs`
  uint32_t depth = 0;                                   // `depth`; 0: as in the profile
  uint32_t execution_threads = 0;                       // `execution_threads`; 0: one per processor
  std::optional<std::chrono::milliseconds> time_limit;  // `time_limit_ms`; 0: none
  uint32_t attempts_max = 1;      // `attempts_max`: submits of a request that the card fails
  bool wait_for_restart = false;  // `wait_for_restart`: wait until a restarting card is back
  bool software_fallback = true;  // `software_fallback`: the caller does the work that the card
                                  // refuses or fails
  bool key_exchange = true;       // `key_exchange`; off: the caller does ECDH, X25519 and X448 and
                                  // makes their keys; this costs little more than the transfer
  bool statistics = false;        // `statistics`: print counts on standard error at exit
  uint64_t seed = 1;              // `seed`

  // `threshold_digest`, `threshold_mac`, `threshold_cbc`, `threshold_ctr`, `threshold_gcm`,
  // `threshold_chacha20_poly1305`, `threshold_kdf`: the smallest number of bytes in one call that
  // goes to the card. For fewer bytes, the transfer costs more than the work.
  std::array<uint32_t, kSizedWorkCount> thresholds{16384, 16384, 16384, 16384, 16384, 16384, 16384};
  uint32_t& threshold(SizedWork work) { return thresholds[static_cast<size_t>(work)]; }
  uint32_t threshold(SizedWork work) const { return thresholds[static_cast<size_t>(work)]; }

  bool operator==(const OffloadOptions&) const = default;

  // Sets the option `name`. Fails on an unknown name and on a bad value; the error says what is
  // allowed, and no option has changed.
  hwsim::Expected<void> Set(std::string_view name, std::string_view value);
  static std::vector<std::string_view> Names();
  // Sets the options that the environment has. Fails on the first bad value, and on a variable
  // whose name is a near miss of an option's variable. Does nothing in a program that runs with
  // raised privileges (setuid), because its caller chose the environment.
  hwsim::Expected<void> SetFromEnvironment();
};

}  // namespace engine::openssl

#endif  // GHOSTCARD_ENGINE_OPENSSL_OPTIONS_H_
