// Random: a small seeded random number generator.
//
// Threads: one at a time. Random: the same seed gives the same sequence on every machine and with
// every standard library; the distributions of <random> do not promise that.
#ifndef GHOSTCARD_HWSIM_BASE_RANDOM_H_
#define GHOSTCARD_HWSIM_BASE_RANDOM_H_

#include <cstdint>

namespace hwsim {

// splitmix64 (Steele, Lea and Flood 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // Uniform over all 64-bit numbers.
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1).
  double NextDouble() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  // A generator of its own for each purpose: draws from one do not shift the sequence of another.
  Random Fork(uint64_t stream) const {
    Random mixed(state_ ^ (stream + 1) * 0xd1342543de82ef95);
    return Random(mixed.Next());
  }

 private:
  uint64_t state_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_RANDOM_H_
