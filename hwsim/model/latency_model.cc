#include "hwsim/model/latency_model.h"

#include <array>
#include <bit>
#include <cmath>

namespace hwsim::model {

namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
// ln 2 in two parts: the high one times a small integer is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

// The natural logarithm, for finite x > 0 that is not subnormal. This file is compiled without
// fused multiply-adds: each step is one rounded IEEE operation on every machine.
double Log(double x) {
  // x = m * 2^e, with m in [sqrt(1/2), sqrt(2)).
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  int e = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffff) | 0x3ff0000000000000);
  if (m > 0x1.6a09e667f3bcdp+0) {
    m *= 0.5;
    ++e;
  }
  // ln m = 2 f (1 + s/3 + s^2/5 + ...), f = (m - 1) / (m + 1), s = f^2 < 0.03. The even and the odd
  // powers of s are summed apart, so that the processor computes them in parallel.
  const double f = (m - 1) / (m + 1);
  const double s = f * f;
  const double w = s * s;
  const double even = 1. + w * (1. / 5 + w * (1. / 9 + w * (1. / 13 + w * (1. / 17 + w / 21))));
  const double odd = 1. / 3 + w * (1. / 7 + w * (1. / 11 + w * (1. / 15 + w / 19)));
  return 2 * f * (even + s * odd) + e * kLn2;
}

constexpr auto kInverseFactorials = [] {
  std::array<double, 14> inverse{};
  double factorial = 1;
  for (size_t i = 0; i < inverse.size(); ++i) {
    if (i > 0) factorial *= static_cast<double>(i);
    inverse[i] = 1 / factorial;
  }
  return inverse;
}();

// e^x, for |x| < 700.
double Exp(double x) {
  const double k = std::floor(x / kLn2 + 0.5);
  const double r = x - k * kLn2High - k * kLn2Low;  // |r| <= ln 2 / 2
  double sum = 0;
  for (size_t i = kInverseFactorials.size(); i-- > 0;) sum = sum * r + kInverseFactorials[i];
  const auto scale = static_cast<uint64_t>(1023 + static_cast<int64_t>(k)) << 52;
  return sum * std::bit_cast<double>(scale);
}

// Mean 1.
double Exponential(Random& random) { return -Log(1 - random.NextDouble()); }

// Mean 0, variance 1. Marsaglia's polar method; its second value is not used.
double Normal(Random& random) {
  for (;;) {
    const double u = 2 * random.NextDouble() - 1;
    const double v = 2 * random.NextDouble() - 1;
    const double s = u * u + v * v;
    if (s < 1 && s > 1e-300) return u * std::sqrt(-2 * Log(s) / s);
  }
}

}  // namespace

Duration LatencyModel::Compute(Random& random, uint32_t size_bytes) const {
  auto ns = static_cast<double>(base.count());
  switch (distribution) {
    case Distribution::kFixed:
      break;
    case Distribution::kUniform:
      ns += static_cast<double>(spread.count()) * random.NextDouble();
      break;
    case Distribution::kExponential:
      ns *= Exponential(random);
      break;
    case Distribution::kLognormal:
      ns *= Exp(sigma * Normal(random));
      break;
    case Distribution::kMinExponential:
      ns += static_cast<double>(spread.count()) * Exponential(random);
      break;
  }
  ns += ns_per_byte * size_bytes;
  // The longest draw, so that sums of times do not overflow.
  constexpr double kMaxNs = 3600e9;
  return Duration(static_cast<int64_t>((ns < kMaxNs ? ns : kMaxNs) + 0.5));
}

Duration LatencyModel::Floor() const {
  switch (distribution) {
    case Distribution::kFixed:
    case Distribution::kUniform:
    case Distribution::kMinExponential:
      return base;
    case Distribution::kExponential:
    case Distribution::kLognormal:
      break;
  }
  return Duration::zero();
}

Duration LatencyModel::Mean(uint32_t size_bytes) const {
  auto ns = static_cast<double>(base.count());
  switch (distribution) {
    case Distribution::kFixed:
    case Distribution::kExponential:
      break;
    case Distribution::kUniform:
      ns += static_cast<double>(spread.count()) / 2;
      break;
    case Distribution::kLognormal:
      ns *= Exp(sigma * sigma / 2);
      break;
    case Distribution::kMinExponential:
      ns += static_cast<double>(spread.count());
      break;
  }
  return Duration(static_cast<int64_t>(ns + ns_per_byte * size_bytes + 0.5));
}

}  // namespace hwsim::model
