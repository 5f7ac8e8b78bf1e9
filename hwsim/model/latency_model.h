// LatencyModel: how long something takes, drawn from a distribution.
//
// Threads: a LatencyModel is a constant value; the Random that it draws from belongs to one thread.
// Time: none of its own. Limits: a draw is at most one hour.
// Random: the same seed gives the same draws on every machine. The logarithm and the exponential
// are computed here from IEEE arithmetic alone, because the C library's differ in the last bit
// between versions and processors.
#ifndef GHOSTCARD_HWSIM_MODEL_LATENCY_MODEL_H_
#define GHOSTCARD_HWSIM_MODEL_LATENCY_MODEL_H_

#include <cstdint>

#include "hwsim/base/clock.h"
#include "hwsim/base/random.h"

namespace hwsim::model {

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
  double ns_per_byte = 0;  // added per byte of size_bytes, with every distribution

  Duration Draw(Random& random, uint32_t size_bytes) const {
    if (distribution == Distribution::kFixed && ns_per_byte == 0) return base;
    return Compute(random, size_bytes);
  }
  // The shortest draw that is possible.
  Duration Floor() const;
  // The mean of Draw for that size, for estimates of throughput.
  Duration Mean(uint32_t size_bytes) const;

 private:
  Duration Compute(Random& random, uint32_t size_bytes) const;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_LATENCY_MODEL_H_
