#include "tools/text/table.h"

#include <gtest/gtest.h>

namespace tools::text {
namespace {

TEST(FormatTest, NanosecondsInTheUnitThatFits) {
  EXPECT_EQ(FormatNanoseconds(0), "0 ns");
  EXPECT_EQ(FormatNanoseconds(1.234), "1.23 ns");
  EXPECT_EQ(FormatNanoseconds(12.34), "12.3 ns");
  EXPECT_EQ(FormatNanoseconds(123.4), "123 ns");
  EXPECT_EQ(FormatNanoseconds(1234), "1.23 us");
  EXPECT_EQ(FormatNanoseconds(999'600), "1.00 ms");
  EXPECT_EQ(FormatNanoseconds(2.5e9), "2.50 s");
  EXPECT_EQ(FormatNanoseconds(2.5e12), "2500 s");
}

TEST(FormatTest, CountsInThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(7), "7");
  EXPECT_EQ(FormatCount(9999), "9999");
  EXPECT_EQ(FormatCount(12'345), "12.3 k");
  EXPECT_EQ(FormatCount(266'000), "266 k");
  EXPECT_EQ(FormatCount(2'500'000), "2500 k");
  EXPECT_EQ(FormatCount(25'000'000), "25.0 M");
}

TEST(TableTest, TableColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(FormatTable({{"name", "n"}, {"a", "100"}}, 1), "name    n\na     100\n");
}

}  // namespace
}  // namespace tools::text
