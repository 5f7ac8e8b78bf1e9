#include "hwsim/base/parse_number.h"

#include <gtest/gtest.h>

namespace hwsim {
namespace {

TEST(ParseNumberTest, ReadsDigitsOfTheBase) {
  EXPECT_EQ(ParseNumber("0"), 0u);
  EXPECT_EQ(ParseNumber("0042"), 42u);
  EXPECT_EQ(ParseNumber("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(ParseNumber("ffFF", 16), 65535u);
}

TEST(ParseNumberTest, RefusesWhatIsNotDigitsOnly) {
  for (const char* text : {"", " ", "-1", "+1", " 1", "1 ", "1.5", "0x10", "1e3", "ff"}) {
    EXPECT_EQ(ParseNumber(text), std::nullopt) << "'" << text << "'";
  }
}

TEST(ParseNumberTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(ParseNumber("18446744073709551616"), std::nullopt);
  EXPECT_EQ(ParseNumber("10000000000000000", 16), std::nullopt);
}

}  // namespace
}  // namespace hwsim
