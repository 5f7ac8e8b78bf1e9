// Compares the tables of options and commands in engine/openssl/README.md with the code.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "engine/openssl/engine/commands.h"
#include "engine/openssl/options.h"

namespace tests {
namespace {

using engine::openssl::OffloadOptions;
using Rows = std::map<std::string, std::vector<std::string>>;

std::string Page() {
  std::ifstream file("engine/openssl/README.md");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The rows of the table whose first heading is `column`: the first cell, and the other cells.
Rows Table(const std::string& column) {
  std::istringstream lines(Page());
  Rows rows;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    inside = line.starts_with("| " + column + " |") || (inside && line.starts_with("|"));
    if (!inside || !line.starts_with("| `")) continue;
    std::istringstream cells(line.substr(2));
    std::vector<std::string> row;
    for (std::string cell; std::getline(cells, cell, '|');) {
      const size_t begin = cell.find_first_not_of(' ');
      if (begin == std::string::npos) continue;
      row.push_back(cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
    }
    std::string name = row[0];
    std::erase(name, '`');
    EXPECT_TRUE(rows.emplace(name, std::vector(row.begin() + 1, row.end())).second) << name;
  }
  return rows;
}

std::string Plain(std::string cell) {
  std::erase(cell, '`');
  return cell;
}

TEST(OptionsPageTest, ListsEveryOptionAndNoOther) {
  std::vector<std::string> listed;
  for (const auto& [name, row] : Table("option")) listed.push_back(name);
  std::vector<std::string> known;
  for (const std::string_view name : OffloadOptions::Names()) known.emplace_back(name);
  std::sort(known.begin(), known.end());
  EXPECT_EQ(listed, known);
}

TEST(OptionsPageTest, ValuesAreThoseThatTheOptionsAllow) {
  for (const auto& [name, row] : Table("option")) {
    if (name == "config") continue;  // checked when the card is made
    OffloadOptions options;
    const auto refused = options.Set(name, "?");
    ASSERT_FALSE(refused) << name;
    std::string allowed = Plain(row[0]);
    if (allowed == "on, off") allowed += ", 1, 0, yes, no";  // the page says so below the table
    EXPECT_TRUE(refused.error().message.ends_with("not allowed; " + allowed))
        << refused.error().message;
  }
}

TEST(OptionsPageTest, DefaultsAreThoseOfTheOptions) {
  for (const auto& [name, row] : Table("option")) {
    if (row[1] == "none") continue;
    OffloadOptions options;
    const auto set = options.Set(name, Plain(row[1]));
    ASSERT_TRUE(set) << set.error().message;
    EXPECT_EQ(options, OffloadOptions()) << name << " is not " << row[1];
  }
}

TEST(OptionsPageTest, ListsEveryCommandAndNoOther) {
  std::string options;
  for (const std::string_view name : OffloadOptions::Names()) options += std::string(name) + "|";
  std::transform(options.begin(), options.end(), options.begin(), ::toupper);
  std::vector<std::string> known;
  for (const ENGINE_CMD_DEFN* row = engine::openssl::engine::CommandTable(); row->cmd_num != 0;
       ++row) {
    if (options.find(std::string(row->cmd_name) + "|") == std::string::npos) {
      known.emplace_back(row->cmd_name);
    }
  }
  std::sort(known.begin(), known.end());
  std::vector<std::string> listed;
  for (const auto& [name, row] : Table("command")) listed.push_back(name);
  EXPECT_EQ(listed, known);
}

// A command's flags say which input it takes: see ENGINE_cmd_is_executable.
TEST(OptionsPageTest, CommandsTakeWhatThePageSays) {
  const Rows rows = Table("command");
  for (const ENGINE_CMD_DEFN* row = engine::openssl::engine::CommandTable(); row->cmd_num != 0;
       ++row) {
    const auto found = rows.find(row->cmd_name);
    if (found == rows.end()) continue;
    const std::string& takes = found->second[0];
    const bool text = takes.find("text") != std::string::npos || takes.starts_with("`NAME");
    const bool pointer = takes.find('*') != std::string::npos;
    switch (row->cmd_flags) {
      case ENGINE_CMD_FLAG_NO_INPUT:
        EXPECT_TRUE(takes == "nothing" || std::string(row->cmd_name) == "POLL") << takes;
        break;
      case ENGINE_CMD_FLAG_NUMERIC:
        EXPECT_TRUE(takes.starts_with("number") && !pointer) << row->cmd_name;
        break;
      case ENGINE_CMD_FLAG_STRING:
        EXPECT_TRUE(text) << row->cmd_name;
        break;
      default:
        EXPECT_TRUE(pointer) << row->cmd_name;
    }
  }
}

}  // namespace
}  // namespace tests
