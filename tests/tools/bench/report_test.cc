#include "tools/bench/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "tools/bench/measured_run.h"
#include "tools/load/notify.h"

namespace tools::bench {
namespace {

RunReport Report(load::Notify notify, double least, double median, double most) {
  RunReport report;
  report.notify = notify;
  report.ops_per_s = median;
  report.ops_per_s_min = least;
  report.ops_per_s_max = most;
  return report;
}

TEST(VerdictTest, NamesTheWinnerAndByHowMuch) {
  EXPECT_EQ(BenchVerdict(std::vector{Report(load::Notify::kFd, 90, 100, 110),
                                     Report(load::Notify::kCallback, 190, 200, 210)}),
            "In operations per second: null, interrupt: callback won by 2.00x.");
  EXPECT_EQ(BenchVerdict(std::vector{Report(load::Notify::kFd, 190, 200, 210),
                                     Report(load::Notify::kCallback, 90, 100, 110)}),
            "In operations per second: null, interrupt: fd won by 2.00x.");
}

TEST(VerdictTest, NoDifferenceWhereTheRepetitionsOverlap) {
  EXPECT_EQ(BenchVerdict(std::vector{Report(load::Notify::kFd, 90, 100, 110),
                                     Report(load::Notify::kCallback, 95, 104, 120)}),
            "In operations per second: null, interrupt: no difference beyond the noise (1.04x).");
  EXPECT_EQ(BenchVerdict(std::vector{Report(load::Notify::kFd, 140, 150, 155),
                                     Report(load::Notify::kCallback, 90, 100, 141)}),
            "In operations per second: null, interrupt: no difference beyond the noise (0.67x).");
}

TEST(VerdictTest, OneRepetitionMakesNoWinner) {
  EXPECT_EQ(
      BenchVerdict(std::vector{Report(load::Notify::kFd, 100, 100, 100),
                               Report(load::Notify::kCallback, 200, 200, 200)}),
      "In operations per second: null, interrupt: callback at 2.00x of fd, in one repetition.");
}

TEST(VerdictTest, DoesNotCompareWhatFailed) {
  std::vector reports{Report(load::Notify::kFd, 90, 100, 110),
                      Report(load::Notify::kCallback, 190, 200, 210)};
  reports.front().err = 1;
  EXPECT_EQ(BenchVerdict(reports),
            "In operations per second: null, interrupt: not compared, as operations failed.");
}

TEST(VerdictTest, SaysNothingWithoutBoth) {
  EXPECT_EQ(BenchVerdict(std::vector{Report(load::Notify::kFd, 1, 1, 1)}), "");
}

TEST(JsonTest, HasTheKeysThatProgramsReadFromIt) {
  const nlohmann::json json = ToJson(std::vector{Report(load::Notify::kFd, 1, 2, 3)});
  ASSERT_TRUE(json.contains("environment"));
  ASSERT_EQ(json.at("runs").size(), 1u);
  const nlohmann::json& run = json.at("runs")[0];
  for (const char* key :
       {"transport", "completion", "notify", "operation", "concurrency", "requests", "ok", "again",
        "err", "ops_per_s", "latency_ns", "phase_ns", "cpu_ns_per_op", "wakeups_per_completion"}) {
    EXPECT_TRUE(run.contains(key)) << key;
  }
  for (const char* key : {"p50", "p90", "p99", "p99_9", "max"}) {
    EXPECT_TRUE(run.at("latency_ns").contains(key)) << key;
  }
  EXPECT_EQ(run.at("notify"), "fd");
  EXPECT_TRUE(run.at("syscalls_per_completion").is_null());
}

}  // namespace
}  // namespace tools::bench
