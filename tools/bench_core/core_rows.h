// Core rows: the cost of this project's own code compared with the raw primitive and with the code
// that it replaces. A row has contenders, each a Google Benchmark function, and figures that are
// computed from their measurements. The repetitions alternate between the contenders (A B A B ...),
// so that a drift of the machine's speed affects all of them equally.
//
// Threads: the caller's thread, and those that a contender starts.
#ifndef GHOSTCARD_TOOLS_BENCH_CORE_CORE_ROWS_H_
#define GHOSTCARD_TOOLS_BENCH_CORE_CORE_ROWS_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tools::bench_core {

// One thing that is measured. Its function reports the number of items with SetItemsProcessed, and
// may set counters. It calls SkipWithError when it cannot run on this machine.
struct Contender {
  std::string name;
  std::function<void(benchmark::State&)> run;
  // kProcessor: processor time, for a contender of one thread; other programs disturb it less.
  // kReal: real time, for a contender of several threads.
  enum class Time : uint8_t { kProcessor, kReal } time = Time::kProcessor;
  // Iterations of its loop; 0: as many as CoreOptions::min_time_s takes. Set it when the setup is
  // expensive.
  uint64_t iterations = 0;
};

// The measurements of one repetition.
class Measured {
 public:
  // Per item. NaN: the contender did not run.
  double Ns(const std::string& contender) const;
  double Counter(const std::string& contender, const std::string& name) const;

  std::map<std::string, double> ns;
  std::map<std::string, std::map<std::string, double>> counters;
};

// A number that is computed for each repetition, and the bound that its median should keep.
struct Figure {
  std::string what;
  std::string unit;  // "x", "ns", "bytes", "/s"
  std::function<double(const Measured&)> value;
  enum class Reach : uint8_t { kNone, kAtLeast, kAtMost } reach = Reach::kNone;
  double bound = 0;
};

struct CoreRow {
  int number = 0;
  std::string name;
  std::vector<Contender> contenders;
  std::vector<Figure> figures;
};

// The time of `other` divided by that of `ours`: the factor by which `ours` is faster.
Figure TimesFaster(const std::string& ours, const std::string& other, double at_least);
// The time of `ours` divided by that of `other`.
Figure TimesAsLong(const std::string& ours, const std::string& other, double at_most);
// The time of one contender, with no bound.
Figure NsOf(const std::string& contender);

struct FigureResult {
  int row = 0;
  std::string row_name;
  Figure figure;
  std::vector<double> values;  // one for each repetition that measured it, in order
  double median = 0, min = 0, max = 0;
  std::optional<bool> reached;  // none: no bound, or nothing measured
};

struct CoreOptions {
  uint32_t repetitions = 7;
  double min_time_s = 0.05;  // of one contender in one repetition
  // Called before each run of a contender; may be empty.
  std::function<void(const std::string& what)> progress;
};

struct RowResult {
  std::vector<FigureResult> figures;
  std::map<std::string, std::string> errors;  // by contender that did not run: the reason
  std::map<std::string, double> ns_medians;   // by contender
};
RowResult RunRow(const CoreRow& row, const CoreOptions& options);

// The rows. Each function is in a file of its own.
std::vector<CoreRow> WaitRows();       // jobs and wait contexts
std::vector<CoreRow> TransportRows();  // rings
std::vector<CoreRow> PathRows();       // the whole way of a request
std::vector<CoreRow> CardRows();       // virtual card, idle card
std::vector<CoreRow> ScaleRows();      // many jobs; cost by how much there is

}  // namespace tools::bench_core

#endif  // GHOSTCARD_TOOLS_BENCH_CORE_CORE_ROWS_H_
