// Core rows: what this project's own code costs beside the raw primitive and beside what it
// replaces. A row is a set of contenders, each a Google Benchmark function, and figures made from
// what they measured; its repetitions alternate between the contenders (A B A B ...), so that a
// drift of the machine's speed meets all alike.
//
// Threads: the caller's, for everything but what a contender starts itself.
#ifndef GHOSTCARD_TOOLS_CORE_ROWS_H_
#define GHOSTCARD_TOOLS_CORE_ROWS_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tools {

// One thing measured. Its function reports how many items it did by SetItemsProcessed, and may
// set counters. One that cannot run here calls SkipWithError.
struct Contender {
  std::string name;
  std::function<void(benchmark::State&)> run;
  // Processor time of the one thread that it needs, which other programs disturb less; or real
  // time, for several threads.
  enum class Time : uint8_t { kProcessor, kReal } time = Time::kProcessor;
  // How often its loop runs; 0: until the time is enough. For what costs much to set up.
  uint64_t iterations = 0;
};

// What the contenders of one repetition measured.
class Measured {
 public:
  // Per item. NaN: it did not run.
  double Ns(const std::string& contender) const;
  double Counter(const std::string& contender, const std::string& name) const;

  std::map<std::string, double> ns;
  std::map<std::string, std::map<std::string, double>> counters;
};

// A number that each repetition gives, and where it is to come out.
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

// How often `ours` goes into `other`: what is faster by.
Figure TimesFaster(const std::string& ours, const std::string& other, double at_least);
Figure TimesAsLong(const std::string& ours, const std::string& other, double at_most);
// The time of one contender, with no bound.
Figure NsOf(const std::string& contender);

struct FigureResult {
  int row = 0;
  std::string row_name;
  Figure figure;
  std::vector<double> values;  // one per repetition that measured it, in their order
  double median = 0, min = 0, max = 0;
  std::optional<bool> reached;  // none: no bound, or nothing measured
};

struct CoreOptions {
  uint32_t repetitions = 7;
  double min_time_s = 0.05;  // of one contender in one repetition
  // Told before each contender; may be empty.
  std::function<void(const std::string& what)> progress;
};

struct RowResult {
  std::vector<FigureResult> figures;
  std::map<std::string, std::string> errors;  // contenders that did not run, and why
  std::map<std::string, double> ns_medians;   // by contender
};
RowResult RunRow(const CoreRow& row, const CoreOptions& options);

// The rows, in files of their own.
std::vector<CoreRow> WaitRows();       // jobs and wait contexts
std::vector<CoreRow> TransportRows();  // rings
std::vector<CoreRow> PathRows();       // the whole way of a request
std::vector<CoreRow> CardRows();       // virtual card, idle card
std::vector<CoreRow> ScaleRows();      // many jobs; cost by how much there is

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_CORE_ROWS_H_
