// LatencyModel: how long something takes, drawn from a distribution.
//
// Threads: a LatencyModel is constant; the Random it draws from belongs to one
// thread. Time: none of its own. Limits: a draw is cut at an hour.
// Random: the same seed gives the same draws on every machine: the logarithm and
// the exponential are computed here, from IEEE arithmetic alone, as those of the C
// library differ in the last bit between versions and processors.
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
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;  // Steele, Lea and Flood 2014
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1).
  double NextDouble() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
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

  Duration Draw(Random& random, uint32_t size_bytes) const {
    if (distribution == Distribution::kFixed && ns_per_byte == 0) return base;
    return Compute(random, size_bytes);
  }
  // What no draw goes below.
  Duration Floor() const;
  // The mean of Draw for that size: what a throughput estimate uses.
  Duration Mean(uint32_t size_bytes) const;

 private:
  Duration Compute(Random& random, uint32_t size_bytes) const;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_LATENCY_MODEL_H_
