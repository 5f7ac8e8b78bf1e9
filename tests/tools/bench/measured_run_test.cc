#include "tools/bench/measured_run.h"

#include <gtest/gtest.h>

#include <vector>

namespace tools::bench {
namespace {

TEST(QuantilesTest, AreExact) {
  std::vector<uint32_t> values;
  for (uint32_t i = 1000; i >= 1; --i) values.push_back(i);
  const Quantiles quantiles = QuantilesOf(values);
  EXPECT_EQ(quantiles.p50, 501);  // rank 499.5, rounded up
  EXPECT_EQ(quantiles.p90, 900);
  EXPECT_EQ(quantiles.p99, 990);
  EXPECT_EQ(quantiles.p99_9, 999);
  EXPECT_EQ(quantiles.max, 1000);
  std::vector<uint32_t> none;
  EXPECT_EQ(QuantilesOf(none).max, 0);
}

}  // namespace
}  // namespace tools::bench
