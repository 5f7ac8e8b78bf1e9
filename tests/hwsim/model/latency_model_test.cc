#include "hwsim/model/latency_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using Distribution = LatencyModel::Distribution;

struct Moments {
  double mean = 0;
  double deviation = 0;
  double least = 0;
  double most = 0;
};

Moments Sample(const LatencyModel& model, uint32_t size_bytes = 0) {
  constexpr int kDraws = 200'000;
  Random random(7);
  Moments moments{.least = 1e300};
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const auto ns = static_cast<double>(model.Draw(random, size_bytes).count());
    moments.mean += ns;
    squares += ns * ns;
    moments.least = std::min(moments.least, ns);
    moments.most = std::max(moments.most, ns);
  }
  moments.mean /= kDraws;
  moments.deviation = std::sqrt(squares / kDraws - moments.mean * moments.mean);
  return moments;
}

TEST(LatencyModelTest, FixedIsItsBase) {
  const LatencyModel model{.base = 125us};
  const Moments moments = Sample(model);
  EXPECT_EQ(moments.least, 125'000);
  EXPECT_EQ(moments.most, 125'000);
  EXPECT_EQ(model.Mean(0), 125us);
}

TEST(LatencyModelTest, FixedWithBytesIsExact) {
  const LatencyModel model{.base = 1us, .ns_per_byte = 0.25};
  Random random(1);
  EXPECT_EQ(model.Draw(random, 4096), 2024ns);
  EXPECT_EQ(model.Mean(4096), 2024ns);
}

TEST(LatencyModelTest, UniformHasItsMoments) {
  const LatencyModel model{.distribution = Distribution::kUniform, .base = 100us, .spread = 50us};
  const Moments moments = Sample(model);
  EXPECT_NEAR(moments.mean, 125'000, 100);
  EXPECT_NEAR(moments.deviation, 50'000 / std::sqrt(12), 100);
  EXPECT_GE(moments.least, 100'000);
  EXPECT_LE(moments.most, 150'000);
  EXPECT_EQ(model.Mean(0), 125us);
}

TEST(LatencyModelTest, ExponentialHasItsMoments) {
  const LatencyModel model{.distribution = Distribution::kExponential, .base = 100us};
  const Moments moments = Sample(model);
  EXPECT_NEAR(moments.mean, 100'000, 800);
  EXPECT_NEAR(moments.deviation, 100'000, 1'500);
  EXPECT_LT(moments.least, 10);
  EXPECT_EQ(model.Mean(0), 100us);
}

TEST(LatencyModelTest, LognormalHasItsMoments) {
  const LatencyModel model{.distribution = Distribution::kLognormal, .base = 100us, .sigma = 0.5};
  const double mean = 100'000 * std::exp(0.125);
  const double deviation = mean * std::sqrt(std::exp(0.25) - 1);
  const Moments moments = Sample(model);
  EXPECT_NEAR(moments.mean, mean, 0.01 * mean);
  EXPECT_NEAR(moments.deviation, deviation, 0.02 * deviation);
  EXPECT_NEAR(static_cast<double>(model.Mean(0).count()), mean, 1);
}

TEST(LatencyModelTest, LognormalHasItsMedian) {
  const LatencyModel model{.distribution = Distribution::kLognormal, .base = 100us, .sigma = 2};
  Random random(11);
  int below = 0;
  for (int i = 0; i < 100'000; ++i) below += model.Draw(random, 0) < 100us;
  EXPECT_NEAR(below, 50'000, 500);
}

TEST(LatencyModelTest, MinExponentialHasItsMoments) {
  const LatencyModel model{
      .distribution = Distribution::kMinExponential, .base = 100us, .spread = 20us};
  const Moments moments = Sample(model);
  EXPECT_NEAR(moments.mean, 120'000, 200);
  EXPECT_NEAR(moments.deviation, 20'000, 300);
  EXPECT_GE(moments.least, 100'000);
  EXPECT_EQ(model.Mean(0), 120us);
}

TEST(LatencyModelTest, BytesAddToEveryDistribution) {
  for (const Distribution distribution :
       {Distribution::kFixed, Distribution::kUniform, Distribution::kExponential,
        Distribution::kLognormal, Distribution::kMinExponential}) {
    const LatencyModel model{
        .distribution = distribution, .base = 10us, .spread = 1us, .sigma = 0.1, .ns_per_byte = 2};
    const auto mean = static_cast<double>(model.Mean(1000).count());
    EXPECT_NEAR(mean, static_cast<double>(model.Mean(0).count()) + 2000, 1);
    EXPECT_NEAR(Sample(model, 1000).mean, mean, 0.01 * mean);
  }
}

TEST(LatencyModelTest, NoDrawGoesBelowTheFloor) {
  Random random(5);
  for (const Distribution distribution :
       {Distribution::kFixed, Distribution::kUniform, Distribution::kExponential,
        Distribution::kLognormal, Distribution::kMinExponential}) {
    const LatencyModel model{.distribution = distribution, .base = 10us, .spread = 5us, .sigma = 1};
    for (int i = 0; i < 10'000; ++i) ASSERT_GE(model.Draw(random, 0), model.Floor());
  }
}

TEST(LatencyModelTest, LongTailIsCutAtAnHour) {
  const LatencyModel model{.distribution = Distribution::kLognormal, .base = 1h, .sigma = 4};
  EXPECT_EQ(Sample(model).most, 3600e9);
}

// A change of these numbers breaks the replay of every recorded seed.
TEST(LatencyModelTest, SeedGivesTheSameDrawsOnEveryMachine) {
  Random random(42);
  const auto draw = [&](Distribution distribution) {
    const LatencyModel model{.distribution = distribution, .base = 1s, .spread = 1s, .sigma = 0.7};
    return model.Draw(random, 0).count();
  };
  std::vector<int64_t> drawn;
  for (int i = 0; i < 2; ++i) {
    drawn.push_back(draw(Distribution::kUniform));
    drawn.push_back(draw(Distribution::kExponential));
    drawn.push_back(draw(Distribution::kLognormal));
    drawn.push_back(draw(Distribution::kMinExponential));
  }
  EXPECT_EQ(drawn, (std::vector<int64_t>{1741564879, 174246718, 407891471, 1038772189, 1868228077,
                                         246418823, 2150490077, 1963597421}));
}

}  // namespace
}  // namespace hwsim::model
