// The distributions against their formulas, over samples whose seed is fixed: a failure is a
// change of the code, never bad luck.
#include "hwsim/model/latency_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace hwsim {

// Found by googletest, which names the parameter of a failed test with it.
void PrintTo(const LatencyModel& model, std::ostream* out) {
  *out << "distribution " << static_cast<int>(model.distribution) << " base " << model.base.count()
       << " ns spread " << model.spread.count() << " ns sigma " << model.sigma;
}

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using Distribution = LatencyModel::Distribution;

constexpr uint64_t kSeed = 20240611;

struct Moments {
  double mean_ns = 0;
  double deviation_ns = 0;
  double least_ns = 0;
};

Moments Sample(const LatencyModel& model, int count, uint32_t size_bytes = 0) {
  Random random(kSeed);
  double sum = 0;
  double squares = 0;
  double least = 1e300;
  for (int i = 0; i < count; ++i) {
    const auto ns = static_cast<double>(model.Draw(random, size_bytes).count());
    sum += ns;
    squares += ns * ns;
    least = std::min(least, ns);
  }
  const double mean = sum / count;
  return {mean, std::sqrt(squares / count - mean * mean), least};
}

struct Formula {
  std::string name;
  LatencyModel model;
  double mean_ns;
  double deviation_ns;
};

class LatencyModelFormulaTest : public testing::TestWithParam<Formula> {};

TEST_P(LatencyModelFormulaTest, MeanAndSpreadOfTheDrawsAreTheFormulas) {
  const Formula& formula = GetParam();
  const Moments moments = Sample(formula.model, 400'000);
  EXPECT_NEAR(moments.mean_ns, formula.mean_ns, 0.01 * formula.mean_ns) << "seed " << kSeed;
  EXPECT_NEAR(moments.deviation_ns, formula.deviation_ns, 0.03 * formula.deviation_ns)
      << "seed " << kSeed;
}

TEST_P(LatencyModelFormulaTest, MeanAgreesWithTheFormula) {
  const Formula& formula = GetParam();
  EXPECT_NEAR(static_cast<double>(formula.model.Mean(0).count()), formula.mean_ns, 1);
}

TEST_P(LatencyModelFormulaTest, EachByteAddsTheSame) {
  LatencyModel model = GetParam().model;
  model.ns_per_byte = 0.25;
  Random small(kSeed);
  Random large(kSeed);
  for (int i = 0; i < 1000; ++i) {
    const Duration difference = model.Draw(large, 4096 + 400) - model.Draw(small, 400);
    EXPECT_NEAR(static_cast<double>(difference.count()), 1024, 1) << "seed " << kSeed;
  }
  EXPECT_NEAR(static_cast<double>((model.Mean(4496) - model.Mean(400)).count()), 1024, 1);
}

TEST_P(LatencyModelFormulaTest, SameSeedGivesTheSameDraws) {
  const LatencyModel& model = GetParam().model;
  Random one(kSeed);
  Random other(kSeed);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(model.Draw(one, 17), model.Draw(other, 17));
}

TEST_P(LatencyModelFormulaTest, EveryDrawTakesAsManyStepsOfTheGenerator) {
  const LatencyModel& model = GetParam().model;
  Random random(kSeed);
  model.Draw(random, 0);
  int steps = 0;
  Random counted(kSeed);
  // How many steps one draw took: the generators are then in step.
  while (steps < 8 && Random(counted).Next() != Random(random).Next()) {
    counted.Next();
    ++steps;
  }
  ASSERT_LT(steps, 8);
  for (int i = 0; i < 1000; ++i) {
    model.Draw(random, 0);
    for (int step = 0; step < steps; ++step) counted.Next();
    ASSERT_EQ(Random(counted).Next(), Random(random).Next());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Distributions, LatencyModelFormulaTest,
    testing::Values(
        Formula{"Fixed", {.base = microseconds(133)}, 133e3, 0},
        Formula{"Uniform",
                {.distribution = Distribution::kUniform,
                 .base = microseconds(100),
                 .spread = microseconds(60)},
                130e3,
                60e3 / std::sqrt(12.0)},
        Formula{"Exponential",
                {.distribution = Distribution::kExponential, .base = microseconds(50)},
                50e3,
                50e3},
        Formula{"Lognormal",
                {.distribution = Distribution::kLognormal, .base = microseconds(100), .sigma = 0.5},
                100e3 * std::exp(0.125),
                100e3 * std::exp(0.125) * std::sqrt(std::exp(0.25) - 1)},
        Formula{"MinExponential",
                {.distribution = Distribution::kMinExponential,
                 .base = microseconds(80),
                 .spread = microseconds(20)},
                100e3,
                20e3}),
    [](const auto& info) { return info.param.name; });

TEST(LatencyModelTest, DefaultTakesNoTime) {
  Random random(kSeed);
  EXPECT_EQ(LatencyModel{}.Draw(random, 4096), Duration::zero());
  EXPECT_EQ(LatencyModel{}.Mean(4096), Duration::zero());
}

TEST(LatencyModelTest, FixedIsExact) {
  Random random(kSeed);
  const LatencyModel model{.base = nanoseconds(2000), .ns_per_byte = 0.4};
  EXPECT_EQ(model.Draw(random, 16384), nanoseconds(2000 + 6554));
}

TEST(LatencyModelTest, UniformStaysWithinItsBounds) {
  Random random(kSeed);
  const LatencyModel model{
      .distribution = Distribution::kUniform, .base = nanoseconds(10), .spread = nanoseconds(4)};
  std::set<int64_t> drawn;
  for (int i = 0; i < 1000; ++i) drawn.insert(model.Draw(random, 0).count());
  EXPECT_EQ(drawn, (std::set<int64_t>{10, 11, 12, 13, 14})) << "seed " << kSeed;
}

TEST(LatencyModelTest, MinExponentialIsNeverBelowItsMinimum) {
  const LatencyModel model{.distribution = Distribution::kMinExponential,
                           .base = microseconds(80),
                           .spread = microseconds(20)};
  EXPECT_GE(Sample(model, 100'000).least_ns, 80e3) << "seed " << kSeed;
}

TEST(LatencyModelTest, MedianOfLognormalIsItsBase) {
  const LatencyModel model{
      .distribution = Distribution::kLognormal, .base = microseconds(100), .sigma = 1};
  Random random(kSeed);
  int below = 0;
  for (int i = 0; i < 100'000; ++i) below += model.Draw(random, 0) < microseconds(100) ? 1 : 0;
  EXPECT_NEAR(below, 50'000, 1000) << "seed " << kSeed;
}

TEST(LatencyModelTest, LongTailIsCutAtAnHour) {
  const LatencyModel tail{.distribution = Distribution::kLognormal, .base = hours(1), .sigma = 4};
  Random random(kSeed);
  bool cut = false;
  for (int i = 0; i < 1000; ++i) {
    const Duration drawn = tail.Draw(random, UINT32_MAX);
    ASSERT_GE(drawn, Duration::zero()) << "seed " << kSeed;
    ASSERT_LE(drawn, hours(1)) << "seed " << kSeed;
    cut = cut || drawn == hours(1);
  }
  EXPECT_TRUE(cut);
}

TEST(LatencyModelTest, MeanIsCutWhereEveryDrawIs) {
  // Of the bytes alone: the draw and its mean are one figure.
  const LatencyModel model{.ns_per_byte = 1e6};
  Random random(kSeed);
  EXPECT_EQ(model.Draw(random, UINT32_MAX), hours(1));
  EXPECT_EQ(model.Mean(UINT32_MAX), hours(1));
}

TEST(RandomTest, SequenceIsThePublishedOne) {
  // splitmix64 seeded with 1234567, as its authors' implementation gives it.
  Random random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
  EXPECT_EQ(random.Next(), 9817491932198370423u);
  EXPECT_EQ(random.Next(), 4593380528125082431u);
  EXPECT_EQ(random.Next(), 16408922859458223821u);
}

TEST(RandomTest, NextDoubleIsFromZeroToBelowOne) {
  Random random(kSeed);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.NextDouble();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005) << "seed " << kSeed;
}

TEST(RandomTest, ForkDoesNotShiftItsParent) {
  Random forked(kSeed);
  Random left_alone(kSeed);
  Random child = forked.Fork(3);
  for (int i = 0; i < 10; ++i) child.Next();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(forked.Next(), left_alone.Next());
}

TEST(RandomTest, ForkOfTheSameStreamIsTheSame) {
  Random one = Random(kSeed).Fork(7);
  Random other = Random(kSeed).Fork(7);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(one.Next(), other.Next());
}

TEST(RandomTest, ForksAndTheirParentShareNoValues) {
  std::vector<Random> all = {Random(kSeed)};
  for (uint64_t stream = 0; stream < 16; ++stream) all.push_back(Random(kSeed).Fork(stream));
  std::set<uint64_t> seen;
  for (Random& random : all) {
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(seen.insert(random.Next()).second) << "seed " << kSeed;
    }
  }
}

TEST(RandomTest, ForksAreNotCorrelated) {
  Random one = Random(kSeed).Fork(1);
  Random two = Random(kSeed).Fork(2);
  double sum = 0;
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) sum += (one.NextDouble() - 0.5) * (two.NextDouble() - 0.5);
  EXPECT_NEAR(12 * sum / kCount, 0, 0.015) << "seed " << kSeed;
}

}  // namespace
}  // namespace hwsim
