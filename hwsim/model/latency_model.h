// LatencyModel: how long something takes, drawn from a distribution.
//
// Threads: a LatencyModel is constant; the Random it draws from belongs to one
// thread. Time: none of its own.
#ifndef GHOSTCARD_HWSIM_MODEL_LATENCY_MODEL_H_
#define GHOSTCARD_HWSIM_MODEL_LATENCY_MODEL_H_

#include <cstdint>

#include "hwsim/clock.h"

namespace hwsim {

// A small seeded generator (splitmix64) whose sequence is the same on every
// machine and standard library, which std's distributions do not promise.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  // Uniform in [0, 1).
  double NextDouble();
  // A generator of its own for each purpose: drawing from one does not shift another.
  Random Fork(uint64_t stream) const;

 private:
  uint64_t state_;
};

struct LatencyModel {
  enum class Distribution : uint8_t {
    kFixed,           // base
    kUniform,         // [base, base + spread]
    kExponential,     // mean base
    kLognormal,       // median base, shape sigma
    kMinExponential,  // base + exponential with mean spread
  };

  Distribution distribution = Distribution::kFixed;
  Duration base{};
  Duration spread{};
  double sigma = 0;        // kLognormal only; 0 <= sigma <= 4
  double ns_per_byte = 0;  // added for each byte of size_bytes, whatever the distribution

  // At most an hour, where longer draws are cut.
  Duration Draw(Random& random, uint32_t size_bytes) const;
  // The mean of Draw for that size, but for what is cut from a long tail: what a throughput
  // estimate uses.
  Duration Mean(uint32_t size_bytes) const;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_LATENCY_MODEL_H_
