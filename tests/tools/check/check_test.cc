// `ghostcard check` on programs that break each rule, and on programs that break none.
//
// The programs are ordinary OpenSSL programs in C and contain nothing of Ghostcard.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "tools/check/check_rules.h"
#include "waitctx/base/sanitizers.h"

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

// In a sanitizer build, the programs and the preloaded library contain the sanitizer. The programs
// leak on purpose, and some race on purpose.
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
  return Check(options + " -- tests/tools/check/" + name);
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
  const char* origin;  // the innermost function of its origin; empty: no origin
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.program; }

class BreakingProgramTest : public testing::TestWithParam<Broken> {};

TEST_P(BreakingProgramTest, IsReportedWithItsCallSiteAndNothingElseIs) {
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

const Broken kBroken[] = {
    {"busy_resume", {"busy-resume"}, "spin", "work"},
    {"callback_after_free", {"callback-after-free"}, "complete", "finish"},
    {"callback_blocks", {"callback-blocks"}, "callback", ""},
    {"callback_resumes", {"callback-resumes"}, "run", ""},
    {"cleanup_early", {"cleanup-early"}, "main", "run"},
    {"context_freed", {"context-freed"}, "give_up", "pause_once"},
    {"context_gone", {"context-gone"}, "complete", "finish"},
    {"context_shared", {"context-shared"}, "run", "pause_once"},
    {"expecting_callback", {"busy-resume"}, "run", "operate"},
    {"fds_not_asked", {"fds-not-asked"}, "run", "operation"},
    {"forking_workers", {"busy-resume"}, "run", "operate"},
    {"job_leaked", {"job-leaked"}, "run", "pause_once"},
    {"job_leaked_by_thread", {"job-leaked"}, "run", "pause_once"},
    {"left_blocked", {"left-blocked"}, "work", "run"},
    {"nested_start", {"nested-start"}, "run", ""},
    {"null_argument", {"null-argument"}, "run", ""},
    {"optimised", {"busy-resume"}, "hurry", "operate"},
    {"pause_blocked", {"pause-blocked"}, "operate", "enter"},
    {"resume_elsewhere", {"resume-refused"}, "run", "run"},
    {"resume_finished", {"resume-refused"}, "run", ""},
    {"status_not_set", {"status-not-set"}, "complete", ""},
    {"tls_given_up", {"context-freed", "job-leaked"}, "SSL_free", "operate"},
    {"wait_fd_closed", {"wait-fd-closed"}, "done_with", "operate"},
    {"wait_fd_closed_while_paused", {"wait-fd-closed"}, "operate", "operate"},
    {"wait_fd_left_open", {"wait-fd-left-open"}, "done_with", "operate"},
    {"wait_fd_not_read", {"wait-fd-not-read"}, "operate", "operate"},
};
INSTANTIATE_TEST_SUITE_P(All, BreakingProgramTest, testing::ValuesIn(kBroken),
                         [](const auto& info) { return std::string(info.param.program); });

class SystemProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    if (waitctx::kAddressSanitizer || waitctx::kThreadSanitizer) {
      GTEST_SKIP() << "programs of the system do not contain the sanitizer that the library needs";
    }
  }
};

TEST(CheckCommandTest, EachRuleHasAProgramThatBreaksIt) {
  std::set<std::string> broken;
  for (const Broken& program : kBroken) broken.insert(program.rules.begin(), program.rules.end());
  for (const tools::check::RuleText& rule : tools::check::RuleTexts()) {
    EXPECT_EQ(broken.count(std::string(rule.name)), 1u) << rule.name;
  }
}

TEST(CheckCommandTest, EachRuleIsOnThePage) {
  std::ifstream in("tools/check/CHECK.md");
  const std::string page(std::istreambuf_iterator<char>(in), {});
  for (const tools::check::RuleText& rule : tools::check::RuleTexts()) {
    EXPECT_THAT(page, testing::HasSubstr("\n| `" + std::string(rule.name) + "` |"));
  }
}

class CorrectProgramTest : public testing::TestWithParam<const char*> {};

TEST_P(CorrectProgramTest, HasNoFindings) {
  const Checked checked = CheckProgram(GetParam());
  EXPECT_EQ(checked.exit_code, 0) << checked.text;
  EXPECT_EQ(RulesIn(checked.report), std::set<std::string>{}) << checked.text;
  // The checker saw the program's jobs.
  EXPECT_GT(checked.report["counts"]["pauses"], 0);
}

INSTANTIATE_TEST_SUITE_P(All, CorrectProgramTest,
                         testing::Values("correct_callbacks", "correct_fd_cache", "correct_fds",
                                         "correct_fork", "correct_threads", "correct_tls", "fails"),
                         [](const auto& info) { return std::string(info.param); });

TEST(CheckCommandTest, CountsHowOftenAJobWasResumedTooEarly) {
  const Checked checked = CheckProgram("busy_resume");
  EXPECT_EQ(checked.report["findings"][0]["count"], 99);
}

TEST(CheckCommandTest, NamesTheLineOfTheCall) {
  const Checked checked = CheckProgram("busy_resume");
  const json& frame = checked.report["findings"][0]["site"]["frames"][0];
  EXPECT_THAT(frame["file"].get<std::string>(), testing::EndsWith("busy_resume.c"));
  EXPECT_GT(frame["line"], 0);
  EXPECT_THAT(checked.text, testing::HasSubstr("busy_resume.c:"));
}

// clang writes no .debug_aranges, which is the usual way to the line of an address.
TEST(CheckCommandTest, NamesTheLineWithoutAddressRanges) {
  const std::string program = TestFolder() + "/without_ranges";
  const std::string strip =
      "objcopy --remove-section .debug_aranges tests/tools/check/busy_resume " + program;
  ASSERT_EQ(std::system(strip.c_str()), 0);
  const Checked checked = Check("-- " + program);
  EXPECT_THAT(checked.text, testing::HasSubstr("busy_resume.c:"));
}

TEST(CheckCommandTest, CountsOneFindingOverAllProcesses) {
  const Checked checked = CheckProgram("forking_workers");
  ASSERT_EQ(checked.report["findings"].size(), 1u) << checked.text;
  EXPECT_EQ(checked.report["findings"][0]["count"], 3);
  EXPECT_EQ(checked.report["counts"]["processes"], 4);
}

TEST_F(SystemProgramTest, FollowsAProgramThatAnotherStarts) {
  const Checked checked = Check("-- sh -c 'tests/tools/check/busy_resume; exit 0'");
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_EQ(RulesIn(checked.report), std::set<std::string>{"busy-resume"});
}

TEST(CheckCommandTest, LeavesOutIgnoredRulesAndSaysSo) {
  const Checked checked = CheckProgram("busy_resume", "--ignore busy-resume,job-leaked");
  EXPECT_EQ(checked.exit_code, 0) << checked.text;
  EXPECT_EQ(checked.report["ignored"], 99);
  EXPECT_THAT(checked.text, testing::HasSubstr("no findings, and 99 times an ignored rule"));
}

TEST(CheckCommandTest, LetsACallbackTakeAsLongAsItIsTold) {
  const Checked checked = CheckProgram("callback_blocks", "--callback-bound-ms 1000000");
  EXPECT_EQ(checked.exit_code, 0) << checked.text;
}

TEST(CheckCommandTest, PassesTheProgramsOwnFailureOn) {
  EXPECT_EQ(Check("-- tests/tools/check/fails 0").exit_code, 0);
  EXPECT_EQ(Check("-- tests/tools/check/fails 7").exit_code, 7);
  // 1 and 2 mean something else here.
  EXPECT_EQ(Check("-- tests/tools/check/fails 1").exit_code, 3);
  EXPECT_EQ(Check("-- tests/tools/check/fails 2").exit_code, 3);
  const Checked checked = Check("-- tests/tools/check/fails -15");
  EXPECT_EQ(checked.exit_code, 128 + 15);
  EXPECT_EQ(checked.report["program"]["signal"], 15);
  EXPECT_THAT(checked.text, testing::HasSubstr("ended by SIGTERM"));
}

TEST_F(SystemProgramTest, ReportsFindingsRatherThanTheProgramsOwnFailure) {
  const Checked checked = Check("-- sh -c 'tests/tools/check/busy_resume; exit 7'");
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_EQ(checked.report["program"]["exit_code"], 7);
}

TEST_F(SystemProgramTest, PassesSignalsOn) {
  // The program sends a signal to ghostcard, and waits until it comes back.
  const Checked checked =
      Check("-- sh -c 'trap \"exit 9\" TERM; kill -TERM $PPID; while :; do :; done'");
  EXPECT_EQ(checked.exit_code, 9) << checked.text;
}

TEST_F(SystemProgramTest, GivesTheProgramItsArgumentsToTheLetter) {
  const Checked checked = Check("-- printf '%s|' '[a,b]' -- --help '' '%%'");
  EXPECT_THAT(checked.text, testing::HasSubstr("[a,b]|--|--help||%%|"));
}

TEST_F(SystemProgramTest, SaysThatAProgramWithoutJobsWasNotChecked) {
  const Checked checked = Check("-- true");
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_THAT(checked.text, testing::HasSubstr("started no asynchronous job: nothing was checked"));
}

TEST(CheckCommandTest, NotesPausedJobsOfAProcessThatEndsWithoutExitHandlers) {
  const Checked checked = CheckProgram("ends_at_once");
  EXPECT_EQ(checked.exit_code, 0) << checked.text;
  EXPECT_THAT(checked.text, testing::HasSubstr("ended by a signal or _exit, with 1 paused job\n"));
}

TEST_F(SystemProgramTest, NotesAProcessThatStillRuns) {
  // The process prints its own number: by then the checker has seen it, and the parent may end.
  const Checked checked =
      Check("-- sh -c 'echo $(sh -c \"echo \\$\\$; exec sleep 60 <&- >&- 2>&-\" &)'");
  EXPECT_EQ(checked.exit_code, 0) << checked.text;
  const pid_t pid = std::atoi(checked.text.c_str());
  ASSERT_GT(pid, 1) << checked.text;
  EXPECT_EQ(kill(pid, SIGKILL), 0);
  EXPECT_THAT(checked.text, testing::HasSubstr("process " + std::to_string(pid) + " still runs"));
}

TEST_F(SystemProgramTest, LeavesOtherPreloadedLibrariesThere) {
  const Checked checked = Check("-- sh -c 'echo $LD_PRELOAD'");
  const std::string alone = checked.text.substr(0, checked.text.find('\n'));
  setenv("LD_PRELOAD", "libdl.so.2", 1);
  const Checked both = Check("-- sh -c 'echo $LD_PRELOAD'");
  unsetenv("LD_PRELOAD");
  EXPECT_EQ(both.text.substr(0, both.text.find('\n')), alone + ":libdl.so.2");
}

TEST(CheckCommandTest, SaysWhatItCannotRun) {
  EXPECT_EQ(Check("-- no-such-program-anywhere").exit_code, 127);
  EXPECT_EQ(Check("-- ./no/such/program").exit_code, 127);
  const std::string file = TestFolder() + "/not_executable";
  std::ofstream(file) << "text";
  const Checked checked = Check("-- " + file);
  EXPECT_EQ(checked.exit_code, 126);
  EXPECT_THAT(checked.text, testing::HasSubstr("Permission denied"));
}

TEST(CheckCommandTest, SaysWhatIsWrongWithTheCommandLine) {
  const Checked none = Check("");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.text, testing::HasSubstr("ghostcard check -- PROGRAM ARGS"));
  const Checked rule = Check("--ignore busyresume -- true");
  EXPECT_EQ(rule.exit_code, 2);
  EXPECT_THAT(rule.text, testing::HasSubstr("'busyresume' given; allowed: busy-resume"));
}

TEST(CheckCommandTest, RefusesAStaticProgram) {
  // The part that ghostcard reads: a header, and no interpreter after it.
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(header);
  const std::string file = TestFolder() + "/static";
  std::ofstream(file).write(reinterpret_cast<const char*>(&header), sizeof(header));
  ASSERT_EQ(chmod(file.c_str(), 0755), 0);
  const Checked checked = Check("-- " + file);
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_THAT(checked.text, testing::HasSubstr("it is statically linked"));
}

TEST(CheckCommandTest, RefusesASetuidProgram) {
  std::string file = "/bin/su";
  if (geteuid() == 0) {  // for root, a program that is setuid root gains nothing
    file = TestFolder() + "/setuid";
    std::filesystem::copy_file("tests/tools/check/fails", file,
                               std::filesystem::copy_options::overwrite_existing);
    constexpr uid_t kNobody = 65534;
    if (chown(file.c_str(), kNobody, kNobody) != 0) GTEST_SKIP() << "no other user's files here";
    ASSERT_EQ(chmod(file.c_str(), 04755), 0);
  }
  const Checked checked = Check("-- " + file);
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_THAT(checked.text, testing::HasSubstr("it is setuid"));
}

TEST_F(SystemProgramTest, MakesItsFilePrivateAndRemovesIt) {
  const Checked checked =
      Check("-- sh -c 'stat -c %a $GHOSTCARD_CHECK_FILE; echo $GHOSTCARD_CHECK_FILE'");
  EXPECT_THAT(checked.text, testing::StartsWith("600\n/"));
  const size_t begin = checked.text.find('/');
  const std::string file = checked.text.substr(begin, checked.text.find('\n', begin) - begin);
  EXPECT_FALSE(std::filesystem::exists(file)) << file;
}

TEST_F(SystemProgramTest, FindsNothingWrongWithOpenSslsOwnProgram) {
  const Checked checked = Check("-- openssl speed -seconds 1 -async_jobs 4 ecdsap256");
  EXPECT_EQ(checked.exit_code, 0) << checked.text;
  EXPECT_GT(checked.report["counts"]["jobs"], 0);
}

}  // namespace
