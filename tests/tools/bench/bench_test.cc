// The statistics of RunBench, with repetitions that are made up.
#include "tools/bench/bench.h"

#include <gtest/gtest.h>

#include <vector>

namespace tools::bench {
namespace {

using Verdict = NotifyComparison::Verdict;

// Repetitions with these throughputs. Each one's p50 is its throughput too, so that a test sees
// which repetition a figure comes from.
std::vector<RunReport> Repetitions(const std::vector<double>& ops_per_s) {
  std::vector<RunReport> repetitions;
  for (const double value : ops_per_s) {
    RunReport& report = repetitions.emplace_back();
    report.ops_per_s = report.ops_per_s_min = report.ops_per_s_max = value;
    report.latency_ns.p50 = value;
  }
  return repetitions;
}

RunReport Median(const std::vector<double>& ops_per_s) { return MedianRun(Repetitions(ops_per_s)); }

TEST(MedianRunTest, IsTheMiddleRepetitionWithItsOwnFigures) {
  const RunReport median = Median({300, 100, 200, 500, 400});
  EXPECT_EQ(median.ops_per_s, 300);
  EXPECT_EQ(median.latency_ns.p50, 300);
  EXPECT_EQ(median.repetitions, 5u);
}

TEST(MedianRunTest, IntervalIsTheSlowestAndTheFastestRepetition) {
  const RunReport median = Median({300, 100, 500});
  EXPECT_EQ(median.ops_per_s_min, 100);
  EXPECT_EQ(median.ops_per_s_max, 500);
}

TEST(MedianRunTest, OfAnEvenNumberIsTheFasterOneInTheMiddle) {
  EXPECT_EQ(Median({400, 100, 300, 200}).ops_per_s, 300);
  EXPECT_EQ(Median({100, 200}).ops_per_s, 200);
}

TEST(MedianRunTest, OfOneRepetitionIsThatRepetition) {
  const RunReport median = Median({100});
  EXPECT_EQ(median.ops_per_s, 100);
  EXPECT_EQ(median.ops_per_s_min, 100);
  EXPECT_EQ(median.ops_per_s_max, 100);
  EXPECT_EQ(median.repetitions, 1u);
}

TEST(CompareTest, RatioIsOfTheMedians) {
  const NotifyComparison comparison = Compare(Median({90, 100, 110}), Median({140, 150, 400}));
  EXPECT_DOUBLE_EQ(comparison.ratio, 1.5);
  EXPECT_EQ(comparison.verdict, Verdict::kCallback);
}

TEST(CompareTest, TheFasterOneWinsWhenTheIntervalsAreApart) {
  EXPECT_EQ(Compare(Median({90, 100, 110}), Median({111, 120, 130})).verdict, Verdict::kCallback);
  EXPECT_EQ(Compare(Median({111, 120, 130}), Median({90, 100, 110})).verdict, Verdict::kFd);
}

TEST(CompareTest, IntervalsThatTouchAreNoDifferenceBeyondTheNoise) {
  EXPECT_EQ(Compare(Median({90, 100, 110}), Median({110, 120, 130})).verdict,
            Verdict::kNoDifference);
  EXPECT_EQ(Compare(Median({110, 120, 130}), Median({90, 100, 110})).verdict,
            Verdict::kNoDifference);
  EXPECT_EQ(Compare(Median({50, 100, 500}), Median({140, 150, 160})).verdict,
            Verdict::kNoDifference);
}

TEST(CompareTest, OneRepetitionEachHasNoWinner) {
  const NotifyComparison comparison = Compare(Median({100}), Median({200}));
  EXPECT_EQ(comparison.verdict, Verdict::kOneRepetition);
  EXPECT_DOUBLE_EQ(comparison.ratio, 2);
}

TEST(CompareTest, RunsWithFailedOperationsAreNotCompared) {
  RunReport fd = Median({90, 100, 110});
  RunReport callback = Median({190, 200, 210});
  callback.err = 1;
  EXPECT_EQ(Compare(fd, callback).verdict, Verdict::kFailed);
  fd.err = 1;
  callback.err = 0;
  EXPECT_EQ(Compare(fd, callback).verdict, Verdict::kFailed);
}

}  // namespace
}  // namespace tools::bench
