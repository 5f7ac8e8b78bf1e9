#include "hwsim/model/latency_model.h"

#include <cmath>
#include <numbers>

namespace hwsim {

uint64_t Random::Next() {
  // splitmix64 (Steele, Lea, Flood 2014).
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double Random::NextDouble() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

Random Random::Fork(uint64_t stream) const {
  Random mixed(state_ ^ (stream + 1) * 0xd1342543de82ef95);
  return Random(mixed.Next());
}

namespace {

// A long tail, or very many bytes, are cut at an hour: that stays representable whatever is added.
Duration Cut(double ns) {
  constexpr double kMax = 3600e9;
  return Duration(static_cast<int64_t>(std::llround(std::fmin(ns, kMax))));
}

double Exponential(Random& random) { return -std::log1p(-random.NextDouble()); }

// Box and Muller's transform; the second value is not kept, so that each draw takes the same
// number of steps.
double Normal(Random& random) {
  const double radius = std::sqrt(2 * Exponential(random));
  return radius * std::cos(2 * std::numbers::pi * random.NextDouble());
}

}  // namespace

Duration LatencyModel::Draw(Random& random, uint32_t size_bytes) const {
  double ns = static_cast<double>(base.count());
  switch (distribution) {
    case Distribution::kFixed:
      if (ns_per_byte == 0) return base;
      break;
    case Distribution::kUniform:
      ns += static_cast<double>(spread.count()) * random.NextDouble();
      break;
    case Distribution::kExponential:
      ns *= Exponential(random);
      break;
    case Distribution::kLognormal:
      ns *= std::exp(sigma * Normal(random));
      break;
    case Distribution::kMinExponential:
      ns += static_cast<double>(spread.count()) * Exponential(random);
      break;
  }
  return Cut(ns + ns_per_byte * size_bytes);
}

Duration LatencyModel::Mean(uint32_t size_bytes) const {
  double ns = static_cast<double>(base.count());
  switch (distribution) {
    case Distribution::kFixed:
    case Distribution::kExponential:
      break;
    case Distribution::kUniform:
      ns += static_cast<double>(spread.count()) / 2;
      break;
    case Distribution::kLognormal:
      ns *= std::exp(sigma * sigma / 2);
      break;
    case Distribution::kMinExponential:
      ns += static_cast<double>(spread.count());
      break;
  }
  return Cut(ns + ns_per_byte * size_bytes);
}

}  // namespace hwsim
