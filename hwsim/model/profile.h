// Profile: the numbers that describe a card. C++ code fills it, or profile_toml.h reads it from a
// file.
//
// Threads: a value. Limits: Mistakes() checks them; nothing else does.
#ifndef GHOSTCARD_HWSIM_MODEL_PROFILE_H_
#define GHOSTCARD_HWSIM_MODEL_PROFILE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hwsim/base/error.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/model/latency_model.h"
#include "hwsim/operations/request.h"

namespace hwsim::model {

// When completions make the interrupt line rise: when either limit is reached. Moderation delays
// the interrupt, never the completion.
struct Moderation {
  uint32_t count = 1;  // completions per interrupt. 1..4096
  Duration time{};     // longest delay of the first unsignalled completion; 0: none. 0..10 ms
};

// How the card shows that it is alive, and how long a reset takes.
struct Health {
  Duration heartbeat = std::chrono::milliseconds(100);  // between two beats. 1 us..10 s
  Duration reset = std::chrono::milliseconds(100);      // duration of a host's reset. 0..60 s
};

inline constexpr double kRatePerSecondMin = 0.001;
inline constexpr double kRatePerSecondMax = 1e9;
inline constexpr Duration kHeartbeatMin = std::chrono::microseconds(1);
inline constexpr Duration kHeartbeatMax = std::chrono::seconds(10);
inline constexpr Duration kResetMax = std::chrono::seconds(60);

// What one kind of operation costs on this card.
struct OperationCost {
  LatencyModel service;  // time on a service unit
  // Rate cap: starts per second over the whole card, as the maker publishes it. 0: no cap, else
  // kRatePerSecondMin to kRatePerSecondMax. A request delayed by the cap occupies no service unit.
  double rate_per_s_max = 0;
};

// A value that is out of bounds.
struct ProfileMistake {
  std::string key;      // as in a configuration file: "operation.copy.service.base"
  std::string message;  // the value that was given, and the values that are allowed
};

struct Profile {
  std::string name = "ideal";
  std::string source = "no device: no latency, no limits";  // source of the figures

  uint32_t queue_pairs_max = 64;  // 1..1024
  uint32_t depth = 512;           // requests in flight per queue pair. 1..32768
  uint32_t service_units = 1024;  // work in parallel; `engines` in a file. 1..65536
  Moderation moderation;
  Health health;
  // The way to the card and back (doorbell, DMA, driver): added to each request. It occupies no
  // service unit.
  LatencyModel transit;
  std::array<OperationCost, operations::kOperationKindCount> operations{};
  faults::FaultPlan faults;

  OperationCost& cost(operations::OperationKind kind) {
    return operations[static_cast<size_t>(kind)];
  }
  const OperationCost& cost(operations::OperationKind kind) const {
    return operations[static_cast<size_t>(kind)];
  }

  // Every value that is out of bounds.
  std::vector<ProfileMistake> Mistakes() const;
  // The mistakes in one Error, one per line, as "KEY: what was given; what is allowed".
  Expected<void> Validate() const;
};

// "570us": in the largest unit of ns, us, ms and s that gives a whole number.
std::string FormatDuration(Duration duration);

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_PROFILE_H_
