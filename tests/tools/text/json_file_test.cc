#include "tools/text/json_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tools::text {
namespace {

TEST(JsonFileTest, FileThatCannotBeWrittenIsNamed) {
  const auto written = WriteJson("/nowhere/at/all.json", {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "/nowhere/at/all.json: No such file or directory (ENOENT)");
}

}  // namespace
}  // namespace tools::text
