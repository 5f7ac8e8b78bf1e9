// Module: the ENGINE's state in a process: the settings of the control commands, and the path of
// the methods' calls to the card.
//
// Threads: any, for switches and calls. Settings can be changed until Start; later changes fail.
// Ownership: it lives until the process ends, as Offload does.
#ifndef GHOSTCARD_ENGINE_OPENSSL_ENGINE_MODULE_H_
#define GHOSTCARD_ENGINE_OPENSSL_ENGINE_MODULE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/openssl/call.h"
#include "engine/openssl/offload.h"
#include "engine/openssl/options.h"
#include "hwsim/base/error.h"

namespace engine::openssl::engine {

// Algorithms that are switched on and off together. The values are the bits of HW_ALGO_BITMAP.
enum class Algorithm : uint32_t {
  kRsa = 0x0001,
  kEcdsa = 0x0008,
  kEcdh = 0x0010,
  kAesGcm = 0x0400,
  kAesCbc = 0x0800,
  kChaChaPoly = 0x2000,
  kDigest = 0x4000,
};

// The counters of GET_NUM_REQUESTS_IN_FLIGHT. The values are the command's number.
enum class RequestClass : uint8_t { kAsymmetric = 1, kKdf = 2, kCipher = 3 };

class Module {
 public:
  static Module& Get();

  // --- settings, before the start ---

  struct Settings {
    OffloadOptions offload;
    bool external_polling = false;
    bool inline_polling = false;
    std::optional<bool> event_driven;  // none: see offload.completion
    std::string section;               // of the file offload.config; empty: the whole file
  };
  // The settings before any command and without the environment.
  static Settings StandardSettings();
  // Runs change(settings) and keeps the result unless it returns an error. Fails after the start.
  hwsim::Expected<void> Change(const std::function<hwsim::Expected<void>(Settings&)>& change);
  const Settings& settings() const { return settings_; }

  // Creates the Offload from the settings and the environment, which takes precedence. Later calls
  // do nothing and succeed. Fails on a wrong option or profile; a later call may then succeed.
  hwsim::Expected<void> Start();
  // Null before Start.
  Offload* offload() const { return offload_.load(std::memory_order_acquire); }

  // --- switches, at any time ---

  void Disable() { enabled_.store(false, std::memory_order_relaxed); }
  void SetAlgorithms(uint32_t bits) { algorithms_.store(bits, std::memory_order_relaxed); }

  // These apply to the started engine and to an engine that is made later. No retries_max: retry
  // until there is space.
  void SetPollInterval(hwsim::Duration interval);
  void SetWatchdogInterval(hwsim::Duration interval);
  void SetRetriesMax(std::optional<uint32_t> retries_max);

  // --- calls ---

  // Whether calls of this algorithm go to the card now. False on a thread that runs a call for the
  // card: an ENGINE is global, so a libcrypto call made there reaches this ENGINE again.
  bool GoesToCard(Algorithm algorithm);

  // Wraps the function of a Call: GoesToCard() is false on a thread while it runs the function, and
  // the call counts as in flight until it is destroyed.
  Call::Function WrapForCard(RequestClass request_class, Call::Function function);
  // Runs the call on the card. False: it failed, and this thread's error queue says why.
  // Requires: GoesToCard() returned true.
  bool Run(Operation<Call>& call) { return MakeCall(*offload(), call); }

  // The number of calls of this class, including calls that were given up while the card still
  // works on them. The address stays valid.
  int* in_flight(RequestClass request_class) {
    return &in_flight_[static_cast<size_t>(request_class) - 1];
  }

 private:
  class InFlightCount;

  Module() = default;
  Engine* StartedEngine() const;
  static void LockBeforeFork();
  static void UnlockInParent();
  static void ResetInChild();

  std::mutex mutex_;  // orders changes and the start
  Settings settings_ = StandardSettings();
  std::optional<uint32_t> retries_max_;  // none: no limit
  std::atomic<Offload*> offload_{nullptr};
  // Switches and counters are relaxed: no other data depends on them. The counters are plain ints
  // because applications get their addresses; std::atomic_ref changes them.
  std::atomic<bool> enabled_{true};
  std::atomic<uint32_t> algorithms_{UINT32_MAX};
  std::array<int, 3> in_flight_{};
  std::atomic<uint32_t> forks_{0};  // tells this process's calls from its parent's
};

}  // namespace engine::openssl::engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_ENGINE_MODULE_H_
