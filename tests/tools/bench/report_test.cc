#include "tools/bench/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/bench/saturate.h"
#include "tools/text/json_file.h"
#include "tools/text/table.h"

namespace tools::bench {
namespace {

TEST(FormatTest, NanosecondsInTheUnitThatFits) {
  EXPECT_EQ(text::FormatNanoseconds(0), "0 ns");
  EXPECT_EQ(text::FormatNanoseconds(1.234), "1.23 ns");
  EXPECT_EQ(text::FormatNanoseconds(12.34), "12.3 ns");
  EXPECT_EQ(text::FormatNanoseconds(123.4), "123 ns");
  EXPECT_EQ(text::FormatNanoseconds(1234), "1.23 us");
  EXPECT_EQ(text::FormatNanoseconds(999'600), "1.00 ms");
  EXPECT_EQ(text::FormatNanoseconds(2.5e9), "2.50 s");
  EXPECT_EQ(text::FormatNanoseconds(2.5e12), "2500 s");
}

TEST(FormatTest, CountsInThousands) {
  EXPECT_EQ(text::FormatCount(0), "0");
  EXPECT_EQ(text::FormatCount(7), "7");
  EXPECT_EQ(text::FormatCount(9999), "9999");
  EXPECT_EQ(text::FormatCount(12'345), "12.3 k");
  EXPECT_EQ(text::FormatCount(266'000), "266 k");
  EXPECT_EQ(text::FormatCount(2'500'000), "2500 k");
  EXPECT_EQ(text::FormatCount(25'000'000), "25.0 M");
}

TEST(FormatTest, TableColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(text::FormatTable({{"name", "n"}, {"a", "100"}}, 1), "name    n\na     100\n");
}

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

TEST(JsonTest, FileThatCannotBeWrittenIsNamed) {
  const auto written = text::WriteJson("/nowhere/at/all.json", {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "/nowhere/at/all.json: No such file or directory (ENOENT)");
}

TEST(SaturateTest, JainsIndexIsOneForEqualShares) {
  EXPECT_DOUBLE_EQ(JainIndex({5, 5, 5, 5}), 1);
  EXPECT_DOUBLE_EQ(JainIndex({20, 0, 0, 0}), 0.25);
  EXPECT_DOUBLE_EQ(JainIndex({}), 1);
}

TEST(SaturateTest, IdealIsWhatTheModelServes) {
  load::CardOptions card;
  card.profile.service_units = 4;
  card.profile.depth = 64;
  card.profile.cost(hwsim::operations::OperationKind::kNull).service.base =
      std::chrono::microseconds(10);
  EXPECT_NEAR(IdealThroughput(card, hwsim::operations::OperationKind::kNull, 0).value(), 400'000,
              4'000)
      << "limited by the engines";
  card.profile.service_units = 1024;
  card.profile.transit.base = std::chrono::microseconds(90);
  EXPECT_NEAR(IdealThroughput(card, hwsim::operations::OperationKind::kNull, 0).value(), 640'000,
              6'400)
      << "limited by the depth: 64 every 100 us";
  card.profile.cost(hwsim::operations::OperationKind::kNull).rate_per_s_max = 50'000;
  EXPECT_NEAR(IdealThroughput(card, hwsim::operations::OperationKind::kNull, 0).value(), 50'000,
              500)
      << "limited by the rate";
  EXPECT_TRUE(std::isinf(
      IdealThroughput({.profile = {}}, hwsim::operations::OperationKind::kNull, 0).value_or(0)));
}

}  // namespace
}  // namespace tools::bench
