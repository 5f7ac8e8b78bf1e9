// Profile: which card this is. The numbers of a device, in one value that TOML
// and C++ fill alike (profile_toml.h reads the file).
//
// Threads: a value. Limits: checked by Mistakes(), and nowhere else; Validate() asks it.
#ifndef GHOSTCARD_HWSIM_MODEL_PROFILE_H_
#define GHOSTCARD_HWSIM_MODEL_PROFILE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hwsim/error.h"
#include "hwsim/model/fault_plan.h"
#include "hwsim/model/latency_model.h"
#include "hwsim/request.h"

namespace hwsim {

// When a completion makes the interrupt line rise. The line rises when either
// limit is reached; moderation delays the interrupt, never the completion.
struct Moderation {
  uint32_t count = 1;  // completions since the last interrupt; 1: every one. 1..4096
  Duration time{};     // since the first completion not yet signalled; 0: no wait. 0..10 ms
};

// How the card says that it is alive, and how it is brought back.
struct Health {
  Duration heartbeat = std::chrono::milliseconds(100);  // its count goes up this often. 1 us..10 s
  Duration reset = std::chrono::milliseconds(100);      // how long the host's reset takes. 0..60 s
};

inline constexpr double kRatePerSecondMin = 0.001;
inline constexpr double kRatePerSecondMax = 1e9;
inline constexpr Duration kHeartbeatMin = std::chrono::microseconds(1);
inline constexpr Duration kHeartbeatMax = std::chrono::seconds(10);
inline constexpr Duration kResetMax = std::chrono::seconds(60);

// What one kind of operation costs on this card.
struct OperationCost {
  LatencyModel service;  // time on an engine (a parallel service unit)
  // Starts per second over the whole card; 0: no cap, else kRatePerSecondMin to
  // kRatePerSecondMax. The published rate.
  // Whoever is kept back by it holds no engine.
  double rate_per_s_max = 0;
};

// A value that is out of bounds.
struct ProfileMistake {
  std::string key;      // as in a configuration file: "operation.copy.service.base"
  std::string message;  // what was given; what is allowed
};

struct Profile {
  std::string name = "ideal";
  std::string source = "no device: no latency, no limits";  // where the figures come from

  uint32_t queue_pairs_max = 64;  // 1..1024
  uint32_t depth = 512;           // requests in flight per queue pair. 1..32768
  uint32_t engines = 1024;        // parallel service units. 1..65536
  Moderation moderation;
  Health health;
  // The way there and back (doorbell, DMA, driver): added to each request,
  // without keeping an engine busy.
  LatencyModel transit;
  std::array<OperationCost, kOperationKindCount> operations{};
  FaultPlan faults;

  OperationCost& cost(OperationKind kind) { return operations[static_cast<size_t>(kind)]; }
  const OperationCost& cost(OperationKind kind) const {
    return operations[static_cast<size_t>(kind)];
  }

  // Every value that is out of bounds.
  std::vector<ProfileMistake> Mistakes() const;
  // All of them in one Error, one to a line, as "KEY: what was given; what is allowed".
  Expected<void> Validate() const;
};

// "570us": in the largest unit (ns, us, ms, s) that gives a whole number.
std::string FormatDuration(Duration duration);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_PROFILE_H_
