// `ghostcard check` on programs that break each rule, and on programs that break none.
//
// The programs are unmodified OpenSSL programs in C: they know nothing of Ghostcard.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace {

using nlohmann::json;

struct Checked {
  int exit_code = -1;
  std::string text;  // what was printed
  json report;       // null: none was written
};

std::string TestFolder() {
  const char* folder = std::getenv("TEST_TMPDIR");
  return folder == nullptr ? "/tmp" : folder;
}

// Under a sanitizer the programs are built with it, and so is what is preloaded ahead of its
// runtime. Leaks are what they are about, and races some of them.
constexpr const char* kSanitizers =
    "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 "
    "TSAN_OPTIONS=report_bugs=0 ";

// Runs `ghostcard check ARGUMENTS` by way of the shell.
Checked Check(const std::string& arguments) {
  const std::string file = TestFolder() + "/findings.json";
  unlink(file.c_str());
  const std::string command =
      kSanitizers + ("tools/ghostcard check --json " + file) + " " + arguments + " 2>&1";
  Checked checked;
  std::FILE* const pipe = popen(command.c_str(), "r");
  char text[4096];
  while (std::fgets(text, sizeof(text), pipe) != nullptr) checked.text += text;
  const int status = pclose(pipe);
  checked.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::ifstream in(file);
  const std::string content(std::istreambuf_iterator<char>(in), {});
  if (!content.empty()) checked.report = json::parse(content);
  return checked;
}

Checked CheckProgram(const std::string& name, const std::string& options = "") {
  return Check(options + " -- tests/check/" + name);
}

std::set<std::string> RulesIn(const json& report) {
  std::set<std::string> rules;
  for (const json& finding : report["findings"]) rules.insert(finding["rule"]);
  return rules;
}

// The functions of a finding's site, innermost first.
std::vector<std::string> Functions(const json& site) {
  std::vector<std::string> functions;
  for (const json& frame : site["frames"]) functions.push_back(frame["function"]);
  return functions;
}

struct Broken {
  const char* program;
  std::set<std::string> rules;
  const char* site;    // the innermost function of the first rule's site
  const char* origin;  // likewise; empty: there is none
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.program; }

class BreaksARule : public testing::TestWithParam<Broken> {};

TEST_P(BreaksARule, IsReportedWithItsCallSiteAndNothingElseIs) {
  const Broken& broken = GetParam();
  const Checked checked = CheckProgram(broken.program);
  EXPECT_EQ(checked.exit_code, 1) << checked.text;
  ASSERT_FALSE(checked.report.is_null()) << checked.text;
  EXPECT_EQ(RulesIn(checked.report), broken.rules) << checked.text;
  const json& first = checked.report["findings"][0];
  EXPECT_EQ(Functions(first["site"]).front(), broken.site) << checked.text;
  EXPECT_EQ(first.contains("origin") ? Functions(first["origin"]).front() : "", broken.origin)
      << checked.text;
  EXPECT_EQ(checked.report["program"]["exit_code"], 0);
}

INSTANTIATE_TEST_SUITE_P(Check, BreaksARule,
                         testing::Values(Broken{"busy_resume", {"busy-resume"}, "spin", "work"}),
                         [](const auto& info) { return std::string(info.param.program); });

class BreaksNoRule : public testing::TestWithParam<const char*> {};

TEST_P(BreaksNoRule, HasNoFindings) {
  const Checked checked = CheckProgram(GetParam());
  EXPECT_EQ(checked.exit_code, 0) << checked.text;
  EXPECT_EQ(RulesIn(checked.report), std::set<std::string>{}) << checked.text;
  // It was looked at.
  EXPECT_GT(checked.report["counts"]["pauses"], 0);
}

INSTANTIATE_TEST_SUITE_P(Check, BreaksNoRule, testing::Values("correct_fds", "correct_callbacks"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Check, CountsHowOftenAJobWasResumedTooEarly) {
  const Checked checked = CheckProgram("busy_resume");
  EXPECT_EQ(checked.report["findings"][0]["count"], 99);
}

}  // namespace
