// Report: the runs of a bench as a table, as one sentence that compares them, and as JSON.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_BENCH_REPORT_H_
#define GHOSTCARD_TOOLS_BENCH_REPORT_H_

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "tools/bench/bench.h"

namespace tools::bench {

std::string BenchTable(std::span<const RunReport> reports);
// For each operation and completion mode that was run with both notifications: which one was
// faster, and by what factor. Empty when there is nothing to compare.
std::string BenchVerdict(std::span<const RunReport> reports);

nlohmann::json ToJson(const RunReport& report);
// {"environment": ..., "runs": [...]}
nlohmann::json ToJson(std::span<const RunReport> reports);

}  // namespace tools::bench

#endif  // GHOSTCARD_TOOLS_BENCH_REPORT_H_
