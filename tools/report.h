// Report: runs as a table for a person, one sentence on who won, and JSON for programs.
#ifndef GHOSTCARD_TOOLS_REPORT_H_
#define GHOSTCARD_TOOLS_REPORT_H_

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench.h"

namespace tools {

// What the figures were measured on: kernel, processor, cores, libraries, build. Pairs of
// name and value, in the order in which they are shown.
std::vector<std::pair<std::string, std::string>> Environment();
// Whether this program was built with optimisation and without a sanitizer.
bool IsOptimisedBuild();

// "1.23 us": three significant digits in the unit that fits.
std::string FormatNanoseconds(double ns);
// "1.23 M", "456 k".
std::string FormatCount(double count);

// Columns padded to their widest cell; the first `left_columns` flush left, the rest right.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows, size_t left_columns);

std::string BenchTable(std::span<const RunReport> reports);
// For each operation and completion mode that was run with both: which notification won, by how
// much.
std::string BenchVerdict(std::span<const RunReport> reports);

nlohmann::json ToJson(const RunReport& report);
nlohmann::json ToJson(std::span<const RunReport> reports);
// Whether `path` ("-": standard output) may be written, as far as can be seen without touching it.
// For commands that take long before they write.
hwsim::Expected<void> CheckWritable(const std::string& path);
// Writes to `path` ("-": standard output). Fails with the reason.
hwsim::Expected<void> WriteJson(const std::string& path, const nlohmann::json& json);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_REPORT_H_
