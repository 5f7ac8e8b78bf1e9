#include "hwsim/base/enum_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace elsewhere {
enum class Single { kOnly };
enum class Pair { kFirst, kSecond };
class Owner {
 public:
  enum class Gap { kLow = 3, kHigh = 90, kMiddle = 7, kNameless = 8 };
};
}  // namespace elsewhere

template <>
inline constexpr auto hwsim::kNamesOf<elsewhere::Single> =
    std::to_array<hwsim::EnumName<elsewhere::Single>>({{elsewhere::Single::kOnly, "only"}});
template <>
inline constexpr auto hwsim::kNamesOf<elsewhere::Pair> =
    std::to_array<hwsim::EnumName<elsewhere::Pair>>({
        {elsewhere::Pair::kFirst, "first"},
        {elsewhere::Pair::kSecond, "second"},
    });
template <>
inline constexpr auto hwsim::kNamesOf<elsewhere::Owner::Gap> =
    std::to_array<hwsim::EnumName<elsewhere::Owner::Gap>>({
        {elsewhere::Owner::Gap::kLow, "low"},
        {elsewhere::Owner::Gap::kHigh, "high"},
        {elsewhere::Owner::Gap::kMiddle, "middle"},
    });

namespace hwsim {
namespace {

using elsewhere::Pair;
using elsewhere::Single;
using Gap = elsewhere::Owner::Gap;

// The look-ups work at compile time.
static_assert(EnumNames<Pair>::NameOf(Pair::kSecond) == "second");
static_assert(EnumNames<Pair>::ValueOf("first") == Pair::kFirst);
static_assert(EnumNames<Gap>::kCount == 3);

TEST(EnumNamesTest, EachNameLeadsBackToItsValue) {
  for (const auto& [value, name] : EnumNames<Gap>::kEntries) {
    EXPECT_EQ(EnumNames<Gap>::NameOf(value), name);
    EXPECT_EQ(EnumNames<Gap>::ValueOf(name), value);
  }
}

TEST(EnumNamesTest, ValueWithoutANameIsUnknown) {
  EXPECT_EQ(EnumNames<Gap>::NameOf(Gap::kNameless), "unknown");
  EXPECT_EQ(EnumNames<Gap>::NameOf(static_cast<Gap>(1000)), "unknown");
}

TEST(EnumNamesTest, OnlyTheExactNameHasAValue) {
  EXPECT_EQ(EnumNames<Pair>::ValueOf("first"), Pair::kFirst);
  for (const std::string_view name : {"First", "firs", "first ", "", "unknown"}) {
    EXPECT_EQ(EnumNames<Pair>::ValueOf(name), std::nullopt) << name;
  }
}

TEST(EnumNamesTest, AllHasTheNamesInTheTablesOrder) {
  EXPECT_THAT(EnumNames<Gap>::All(), ::testing::ElementsAre("low", "high", "middle"));
}

TEST(EnumNamesTest, ListedPutsOrBeforeTheLastName) {
  EXPECT_EQ(EnumNames<Single>::Listed(), "only");
  EXPECT_EQ(EnumNames<Pair>::Listed(), "first or second");
  EXPECT_EQ(EnumNames<Gap>::Listed(), "low, high or middle");
}

}  // namespace
}  // namespace hwsim
