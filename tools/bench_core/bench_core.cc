// Compares the cost of the core with that of raw primitives and of libcrypto: a table of ratios.
// Each ratio is the median of repetitions that alternate between the contenders. The exit code is
// 0 whatever the figures are: this program reports times and asserts none.
//
//   bazel run --config=opt //tools/bench_core:bench_core -- --row switch --row 4
#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/bench_core/core_rows.h"
#include "tools/text/environment.h"
#include "tools/text/json_file.h"
#include "tools/text/table.h"

namespace tools::bench_core {
namespace {

std::string LoadAverage() {
  double load[1] = {};
  return ::getloadavg(load, 1) == 1 ? fmt::format("{:.2f}", load[0]) : "unknown";
}

std::string FormatValue(double value, const std::string& unit) {
  if (unit == "ns") return text::FormatNanoseconds(value);
  if (unit == "x") return fmt::format("{:.2f}x", value);
  return text::FormatCount(value) + (unit.starts_with("/") ? "" : " ") + unit;
}

std::vector<std::string> TableLine(const FigureResult& result) {
  const Figure& figure = result.figure;
  std::string reach;
  if (figure.reach == Figure::Reach::kAtLeast) {
    reach = "at least " + FormatValue(figure.bound, figure.unit);
  } else if (figure.reach == Figure::Reach::kAtMost) {
    reach = "at most " + FormatValue(figure.bound, figure.unit);
  }
  if (result.values.empty()) {
    return {
        std::to_string(result.row), result.row_name, figure.what, "not measured", "", reach, ""};
  }
  std::string verdict;
  if (result.reached) verdict = *result.reached ? "reached" : "not reached";
  return {std::to_string(result.row),
          result.row_name,
          figure.what,
          FormatValue(result.median, figure.unit),
          FormatValue(result.min, figure.unit) + " .. " + FormatValue(result.max, figure.unit),
          reach,
          verdict};
}

nlohmann::json ToJson(const CoreRow& row, const RowResult& result) {
  nlohmann::json figures = nlohmann::json::array();
  for (const FigureResult& figure : result.figures) {
    nlohmann::json one = {{"what", figure.figure.what}, {"unit", figure.figure.unit},
                          {"median", figure.median},    {"min", figure.min},
                          {"max", figure.max},          {"values", figure.values}};
    if (figure.figure.reach == Figure::Reach::kAtLeast) one["at_least"] = figure.figure.bound;
    if (figure.figure.reach == Figure::Reach::kAtMost) one["at_most"] = figure.figure.bound;
    if (figure.reached) one["reached"] = *figure.reached;
    figures.push_back(std::move(one));
  }
  return {{"row", row.number},
          {"name", row.name},
          {"ns_per_item", result.ns_medians},
          {"errors", result.errors},
          {"figures", std::move(figures)}};
}

struct Arguments {
  std::vector<std::string> rows;
  std::string json;
  CoreOptions options;
};

bool IsWanted(const CoreRow& row, const Arguments& arguments) {
  if (arguments.rows.empty()) return true;
  return std::any_of(arguments.rows.begin(), arguments.rows.end(), [&](const std::string& wanted) {
    return wanted == std::to_string(row.number) || row.name.find(wanted) != std::string::npos;
  });
}

std::vector<CoreRow> AllRows() {
  std::vector<CoreRow> all;
  for (auto make : {&WaitRows, &TransportRows, &PathRows, &CardRows, &ScaleRows}) {
    for (CoreRow& row : make()) all.push_back(std::move(row));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const CoreRow& a, const CoreRow& b) { return a.number < b.number; });
  return all;
}

// A bar for `ns`, as wide as its share of the row's longest; padded to one width.
std::string Bar(double ns, double ns_max) {
  constexpr size_t kWidth = 40;
  std::string bar(static_cast<size_t>(std::ceil(kWidth * ns / ns_max)), '#');
  bar.resize(kWidth, ' ');
  return bar;
}

void PrintRow(const CoreRow& row, const RowResult& result) {
  double ns_max = 0;
  for (const auto& [name, ns] : result.ns_medians) ns_max = std::max(ns_max, ns);
  std::vector<std::vector<std::string>> table = {{"row", "contender", "median of repetitions", ""}};
  for (const Contender& contender : row.contenders) {
    const auto ns = result.ns_medians.find(contender.name);
    const auto error = result.errors.find(contender.name);
    table.push_back({row.name, contender.name,
                     error != result.errors.end()    ? "not run: " + error->second
                     : ns != result.ns_medians.end() ? text::FormatNanoseconds(ns->second)
                                                     : "nothing",
                     ns != result.ns_medians.end() ? Bar(ns->second, ns_max) : ""});
  }
  fmt::print("{}\n", text::FormatTable(table, 2));
  std::fflush(stdout);
}

int Run(const Arguments& arguments) {
  nlohmann::json json;
  for (const auto& [name, value] : text::Environment()) {
    fmt::print("{}: {}\n", name, value);
    json["environment"][name] = value;
  }
  fmt::print("load_average: {} before\nrepetitions: {}\n\n", LoadAverage(),
             arguments.options.repetitions);
  json["load_average_before"] = LoadAverage();

  std::vector<std::vector<std::string>> table = {
      {"row", "of", "figure", "median", "min .. max", "reach", ""}};
  for (const CoreRow& row : AllRows()) {
    if (!IsWanted(row, arguments)) continue;
    const RowResult result = RunRow(row, arguments.options);
    PrintRow(row, result);
    for (const FigureResult& figure : result.figures) table.push_back(TableLine(figure));
    json["rows"].push_back(ToJson(row, result));
  }
  fmt::print("{}load_average: {} after\n", text::FormatTable(table, 3), LoadAverage());
  json["load_average_after"] = LoadAverage();
  if (arguments.json.empty()) return 0;
  const auto written = text::WriteJson(arguments.json, json);
  if (!written) fmt::print(stderr, "{}\n", written.error().message);
  return written ? 0 : 1;
}

}  // namespace
}  // namespace tools::bench_core

int main(int argc, char** argv) {
  tools::bench_core::Arguments arguments;
  CLI::App app("What the core costs beside its raw primitives and beside libcrypto's own.");
  app.add_option("--row", arguments.rows, "only these: a number, or part of a name; repeatable");
  app.add_option("--repetitions", arguments.options.repetitions, "alternating repetitions")
      ->check(CLI::Range(1, 1000));
  app.add_option("--min-time", arguments.options.min_time_s,
                 "seconds of one contender in one repetition")
      ->check(CLI::Range(0.001, 60.0));
  app.add_option("--json", arguments.json, "write everything to this file; -: standard output");
  CLI11_PARSE(app, argc, argv);
  arguments.options.progress = [](const std::string& what) {
    if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\x1b[K{}\r", what);
  };
  return tools::bench_core::Run(arguments);
}
