// Module: the ENGINE's one state in a process: what the control commands set, and the way of the
// methods' work to the card.
//
// Threads: the switches may be turned and asked, and calls made, from any. Settings belong before
// Start; after it they answer that it is too late. Ownership: lives until the process ends, as
// Offload does.
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
#include "hwsim/error.h"

namespace engine {

// What is switched on and off as one. The values are the bits of HW_ALGO_BITMAP.
enum class Algorithm : uint32_t {
  kRsa = 0x0001,
  kEcdsa = 0x0008,
  kEcdh = 0x0010,
  kAesGcm = 0x0400,
  kAesCbc = 0x0800,
  kChaChaPoly = 0x2000,
  kDigest = 0x4000,
};

// What GET_NUM_REQUESTS_IN_FLIGHT counts apart. The values are its third argument.
enum class RequestClass : uint8_t { kAsymmetric = 1, kKdf = 2, kCipher = 3 };

class Module {
 public:
  static Module& Get();

  // --- settings, before the start ---

  struct Settings {
    OffloadOptions offload;
    bool external_polling = false;
    bool inline_polling = false;
    std::optional<bool> event_driven;  // none: as offload.completion says
    std::string section;               // of offload.config; empty: the whole file
  };
  // What holds where neither a command nor the environment says otherwise.
  static Settings StandardSettings();
  // Changes them: change(settings) answers what is wrong, if something is. Fails after the start.
  hwsim::Expected<void> Change(const std::function<hwsim::Expected<void>(Settings&)>& change);
  const Settings& settings() const { return settings_; }

  // Makes ready for calls, with what the environment says on top; the second and further times,
  // nothing happens.
  hwsim::Expected<void> Start();
  // This process's Offload; null before Start.
  Offload* offload() const { return offload_.load(std::memory_order_acquire); }

  // --- switches, at any time ---

  void Disable() { enabled_.store(false, std::memory_order_relaxed); }
  void SetAlgorithms(uint32_t bits) { algorithms_.store(bits, std::memory_order_relaxed); }

  // The intervals: the started engine's, and the one's to come.
  void SetPollInterval(hwsim::Duration interval);
  void SetWatchdogInterval(hwsim::Duration interval);
  void SetRetriesMax(std::optional<uint32_t> retries_max);

  // --- calls ---

  // Whether work of that algorithm goes to the card now. False on the card's own threads: engines
  // are the process's, so that libcrypto calls made there come back here.
  bool GoesToCard(Algorithm algorithm);

  // Makes `function` a call's: marks the thread that makes it as the card's meanwhile, and counts
  // as in flight for as long as there is the call.
  Call::Function OnCard(RequestClass request_class, Call::Function function);
  // Has the card make the call. False: it failed, and this thread's error queue says why.
  // Requires: GoesToCard() said so.
  bool Run(Operation<Call>& call) { return MakeCall(*offload(), call); }

  // How many calls of that class there are, those included that were given up and are on the card
  // still. The address stays valid.
  int* in_flight(RequestClass request_class) {
    return &in_flight_[static_cast<size_t>(request_class) - 1];
  }

 private:
  class InFlight;

  Module() = default;
  Engine* StartedEngine() const;
  static void StopAtFork();
  static void GoOnInParent();
  static void StartAnewInChild();

  std::mutex mutex_;  // orders changes and the start
  Settings settings_ = StandardSettings();
  std::optional<uint32_t> retries_max_;  // none: no limit
  std::atomic<Offload*> offload_{nullptr};
  // Switches and counters stand alone: no order needed. The counters are plain ints because their
  // addresses are given to applications; they are changed through std::atomic_ref.
  std::atomic<bool> enabled_{true};
  std::atomic<uint32_t> algorithms_{UINT32_MAX};
  std::array<int, 3> in_flight_{};
  std::atomic<uint32_t> forks_{0};  // this process's calls are told from its parent's by it
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_ENGINE_MODULE_H_
