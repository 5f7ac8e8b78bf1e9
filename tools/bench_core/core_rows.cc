#include "tools/bench_core/core_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tools::bench_core {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

// Keeps the report of the last run and prints nothing.
class Keeper final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) {
        error = run.error_message;
        continue;
      }
      for (const auto& [name, counter] : run.counters) counters[name] = counter.value;
    }
  }

  std::string error;
  std::map<std::string, double> counters;
};

// A name that no other contender has, and that as a pattern matches only itself.
std::string RegisteredName(const CoreRow& row, size_t contender) {
  return "row_" + std::to_string(row.number) + "_" + std::to_string(contender) + "_end";
}

void Register(const CoreRow& row, const CoreOptions& options) {
  for (size_t i = 0; i < row.contenders.size(); ++i) {
    const Contender& contender = row.contenders[i];
    auto* registered = benchmark::RegisterBenchmark(RegisteredName(row, i).c_str(), contender.run);
    if (contender.time == Contender::Time::kReal) registered->UseRealTime();
    if (contender.iterations != 0) {
      registered->Iterations(static_cast<benchmark::IterationCount>(contender.iterations));
    } else {
      registered->MinTime(options.min_time_s);
    }
  }
}

FigureResult Summarise(const CoreRow& row, const Figure& figure,
                       const std::vector<Measured>& repetitions) {
  FigureResult result{.row = row.number, .row_name = row.name, .figure = figure};
  for (const Measured& measured : repetitions) {
    const double value = figure.value(measured);
    if (std::isfinite(value)) result.values.push_back(value);
  }
  if (result.values.empty()) return result;
  std::vector<double> sorted = result.values;
  std::sort(sorted.begin(), sorted.end());
  result.median = sorted[sorted.size() / 2];
  result.min = sorted.front();
  result.max = sorted.back();
  if (figure.reach == Figure::Reach::kAtLeast) result.reached = result.median >= figure.bound;
  if (figure.reach == Figure::Reach::kAtMost) result.reached = result.median <= figure.bound;
  return result;
}

}  // namespace

double Measured::Ns(const std::string& contender) const {
  const auto found = ns.find(contender);
  return found == ns.end() ? kNothing : found->second;
}

double Measured::Counter(const std::string& contender, const std::string& name) const {
  const auto found = counters.find(contender);
  if (found == counters.end()) return kNothing;
  const auto counter = found->second.find(name);
  return counter == found->second.end() ? kNothing : counter->second;
}

Figure TimesFaster(const std::string& ours, const std::string& other, double at_least) {
  return {.what = ours + " is faster than " + other,
          .unit = "x",
          .value = [=](const Measured& m) { return m.Ns(other) / m.Ns(ours); },
          .reach = Figure::Reach::kAtLeast,
          .bound = at_least};
}

Figure TimesAsLong(const std::string& ours, const std::string& other, double at_most) {
  return {.what = ours + " takes as long as " + other,
          .unit = "x",
          .value = [=](const Measured& m) { return m.Ns(ours) / m.Ns(other); },
          .reach = Figure::Reach::kAtMost,
          .bound = at_most};
}

Figure NsOf(const std::string& contender) {
  return {
      .what = contender, .unit = "ns", .value = [=](const Measured& m) { return m.Ns(contender); }};
}

RowResult RunRow(const CoreRow& row, const CoreOptions& options) {
  Register(row, options);
  RowResult result;
  std::vector<Measured> repetitions(options.repetitions);
  for (uint32_t repetition = 0; repetition < options.repetitions; ++repetition) {
    for (size_t i = 0; i < row.contenders.size(); ++i) {
      const std::string& name = row.contenders[i].name;
      if (result.errors.contains(name)) continue;
      if (options.progress) options.progress(row.name + ", " + name);
      Keeper keeper;
      // With a reporter of ours, Google Benchmark prints no table.
      benchmark::RunSpecifiedBenchmarks(&keeper, RegisteredName(row, i));
      if (!keeper.error.empty()) result.errors[name] = keeper.error;
      const auto rate = keeper.counters.find("items_per_second");
      if (rate == keeper.counters.end()) continue;
      repetitions[repetition].ns[name] = 1e9 / rate->second;
      repetitions[repetition].counters[name] = std::move(keeper.counters);
    }
  }
  benchmark::ClearRegisteredBenchmarks();
  for (const Figure& figure : row.figures) {
    result.figures.push_back(Summarise(row, figure, repetitions));
  }
  for (const Contender& contender : row.contenders) {
    const FigureResult ns = Summarise(row, NsOf(contender.name), repetitions);
    if (!ns.values.empty()) result.ns_medians[contender.name] = ns.median;
  }
  return result;
}

}  // namespace tools::bench_core
