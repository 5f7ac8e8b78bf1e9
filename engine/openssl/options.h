// OffloadOptions: how a process has its card, from a configuration file and from the environment.
//
// The same names everywhere: NAME = value in the module's section of openssl.cnf, and
// GHOSTCARD_NAME (in capitals) in the environment, which wins.
// Threads: a value.
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
#include "hwsim/completion_service.h"
#include "hwsim/error.h"
#include "hwsim/rings/transport.h"

namespace engine {

// What has a size from which it goes to the card.
enum class SizedWork : uint8_t { kDigest, kMac, kCbc, kCtr, kGcm, kChaCha20Poly1305, kKdf };
inline constexpr size_t kSizedWorkCount = 7;

struct OffloadOptions {
  std::string profile = "ideal";  // `profile`: one that ships; hwsim/model/profiles
  std::string config;             // `config`: a TOML file of your own instead, faults included
  hwsim::TransportKind transport = hwsim::TransportKind::kAuto;          // `transport`
  hwsim::CompletionMode completion = hwsim::CompletionMode::kInterrupt;  // `completion`
  hwsim::Duration poll_interval = std::chrono::microseconds(10);         // `poll_interval_us`
  hwsim::Duration watchdog_interval = std::chrono::milliseconds(200);    // `watchdog_interval_ms`
  RetryPolicy retry = RetryPolicy::kWhenSpace;                           // `retry`
  // Calls the callback also when there is space after EAGAIN; off: such a job is resumed by trial.
  bool callback_when_space = true;                      // `callback_when_space`
  uint32_t queue_pairs = 2;                             // `queue_pairs`
  uint32_t depth = 0;                                   // `depth`; 0: the profile's
  uint32_t execution_threads = 0;                       // `execution_threads`; 0: one per processor
  std::optional<std::chrono::milliseconds> time_limit;  // `time_limit_ms`; 0: none
  uint32_t attempts_max = 1;  // `attempts_max`: how often the card is asked when it fails a request
  bool wait_for_restart = false;  // `wait_for_restart`: a card that restarts is waited for
  bool software_fallback = true;  // `software_fallback`: work that the card refuses or fails is
                                  // done by the caller
  bool key_exchange = true;       // `key_exchange`: off: ECDH, X25519, X448 and keys for them are
                                  // made by the caller, whom they cost little more than the way
  bool statistics = false;        // `statistics`: printed on standard error as the process ends
  uint64_t seed = 1;              // `seed`

  // `threshold_digest`, `threshold_mac`, `threshold_cbc`, `threshold_ctr`, `threshold_gcm`,
  // `threshold_chacha20_poly1305`, `threshold_kdf`: bytes in one call from which it goes to the
  // card. Below, the way there costs more than the work.
  std::array<uint32_t, kSizedWorkCount> thresholds{16384, 16384, 16384, 16384, 16384, 16384, 16384};
  uint32_t& threshold(SizedWork work) { return thresholds[static_cast<size_t>(work)]; }
  uint32_t threshold(SizedWork work) const { return thresholds[static_cast<size_t>(work)]; }

  bool operator==(const OffloadOptions&) const = default;

  // Sets one by its name. Fails on an unknown name and on a bad value, and says what is allowed.
  hwsim::Expected<void> Set(std::string_view name, std::string_view value);
  static std::vector<std::string_view> Names();
  // Sets what the environment gives. Fails on the first bad value, and on a name that is nearly one
  // of these.
  hwsim::Expected<void> SetFromEnvironment();
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_OPTIONS_H_
