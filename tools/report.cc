#include "tools/report.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace tools {

namespace {

std::string ProcessorName() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

bool IsOptimisedBuild() {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

std::vector<std::pair<std::string, std::string>> Environment() {
  utsname name{};
  ::uname(&name);
  return {{"kernel", std::string(name.sysname) + " " + name.release},
          {"machine", name.machine},
          {"processor", ProcessorName()},
          {"processors_online", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))},
          {"libcrypto", OpenSSL_version(OPENSSL_VERSION)},
          {"compiler", __VERSION__},
          {"build", IsOptimisedBuild() ? "optimised" : "not optimised"}};
}

std::string FormatNanoseconds(double ns) {
  static constexpr std::array<std::string_view, 4> kUnits = {"ns", "us", "ms", "s"};
  size_t unit = 0;
  while (ns >= 999.5 && unit + 1 < kUnits.size()) {
    ns /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", ns,
                     ns >= 99.95 || (unit == 0 && ns == 0) ? 0
                     : ns >= 9.995                         ? 1
                                                           : 2,
                     kUnits[unit]);
}

std::string FormatCount(double count) {
  static constexpr std::array<std::string_view, 4> kUnits = {"", " k", " M", " G"};
  size_t unit = 0;
  while (count >= 9999.5 && unit + 1 < kUnits.size()) {
    count /= 1000;
    ++unit;
  }
  const bool whole = unit == 0 && count == std::floor(count);
  return fmt::format("{:.{}f}{}", count,
                     whole || count >= 99.95 ? 0
                     : count >= 9.995        ? 1
                                             : 2,
                     kUnits[unit]);
}

std::string FormatTable(const std::vector<std::vector<std::string>>& rows, size_t left_columns) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line +=
          fmt::format(fmt::runtime(i < left_columns ? "{:<{}}  " : "{:>{}}  "), row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string BenchTable(std::span<const RunReport> reports) {
  std::vector<std::vector<std::string>> speed = {{"operation", "completion", "notify", "ops/s",
                                                  "min..max", "p50", "p90", "p99", "p99.9",
                                                  "CPU/op", "syscalls/op", "wakeups/op"}};
  std::vector<std::vector<std::string>> split = {
      {"operation", "completion", "notify", "queueing p50", "p99", "service p50", "p99",
       "notification p50", "p99", "card late, mean", "OK", "EAGAIN", "ERR"}};
  for (const RunReport& report : reports) {
    const std::vector<std::string> name = {
        std::string(hwsim::OperationName(report.operation)),
        std::string(hwsim::CompletionModeName(report.completion)),
        std::string(NotifyName(report.notify))};
    auto& a = speed.emplace_back(name);
    a.insert(
        a.end(),
        {FormatCount(report.ops_per_s),
         FormatCount(report.ops_per_s_min) + ".." + FormatCount(report.ops_per_s_max),
         FormatNanoseconds(report.latency_ns.p50), FormatNanoseconds(report.latency_ns.p90),
         FormatNanoseconds(report.latency_ns.p99), FormatNanoseconds(report.latency_ns.p99_9),
         FormatNanoseconds(report.cpu_ns_per_op),
         report.syscalls_per_completion ? fmt::format("{:.2f}", *report.syscalls_per_completion)
                                        : "-",
         fmt::format("{:.3f}", report.wakeups_per_completion)});
    auto& b = split.emplace_back(name);
    b.insert(
        b.end(),
        {FormatNanoseconds(report.queueing_ns.p50), FormatNanoseconds(report.queueing_ns.p99),
         FormatNanoseconds(report.service_ns.p50), FormatNanoseconds(report.service_ns.p99),
         FormatNanoseconds(report.notification_ns.p50),
         FormatNanoseconds(report.notification_ns.p99), FormatNanoseconds(report.lateness_ns_mean),
         FormatCount(static_cast<double>(report.ok)),
         FormatCount(static_cast<double>(report.again)),
         FormatCount(static_cast<double>(report.err))});
  }
  return FormatTable(speed, 3) + "\nWhere the time goes:\n" + FormatTable(split, 3);
}

std::string BenchVerdict(std::span<const RunReport> reports) {
  std::string text;
  for (const RunReport& fd : reports) {
    if (fd.notify != Notify::kFd) continue;
    const auto callback = std::find_if(reports.begin(), reports.end(), [&](const RunReport& other) {
      return other.notify == Notify::kCallback && other.operation == fd.operation &&
             other.completion == fd.completion;
    });
    if (callback == reports.end()) continue;
    if (!text.empty()) text += "; ";
    text += fmt::format("{}, {}: ", hwsim::OperationName(fd.operation),
                        hwsim::CompletionModeName(fd.completion));
    if (fd.err + callback->err != 0) {
      text += "not compared, as operations failed";
      continue;
    }
    const double ratio = callback->ops_per_s / fd.ops_per_s;
    const bool once =
        callback->ops_per_s_min == callback->ops_per_s_max && fd.ops_per_s_min == fd.ops_per_s_max;
    if (once) {
      text += fmt::format("callback at {:.2f}x of fd, in one repetition", ratio);
      continue;
    }
    // A difference within what the repetitions themselves differ by is none.
    const bool overlap =
        callback->ops_per_s_min <= fd.ops_per_s_max && fd.ops_per_s_min <= callback->ops_per_s_max;
    if (overlap) {
      text += fmt::format("no difference beyond the noise ({:.2f}x)", ratio);
    } else if (ratio >= 1) {
      text += fmt::format("callback won by {:.2f}x", ratio);
    } else {
      text += fmt::format("fd won by {:.2f}x", 1 / ratio);
    }
  }
  return text.empty() ? text : "In operations per second: " + text + ".";
}

namespace {

nlohmann::json ToJson(const Quantiles& quantiles) {
  return {{"p50", quantiles.p50},
          {"p90", quantiles.p90},
          {"p99", quantiles.p99},
          {"p99_9", quantiles.p99_9},
          {"max", quantiles.max}};
}

}  // namespace

nlohmann::json ToJson(const RunReport& report) {
  nlohmann::json json = {
      {"transport", report.transport},
      {"completion", hwsim::CompletionModeName(report.completion)},
      {"notify", NotifyName(report.notify)},
      {"retry", engine::RetryPolicyName(report.retry)},
      {"operation", hwsim::OperationName(report.operation)},
      {"concurrency", report.concurrency},
      {"depth", report.depth},
      {"repetitions", report.repetitions},
      {"requests", report.requests},
      {"ok", report.ok},
      {"again", report.again},
      {"err", report.err},
      {"ops_per_s", report.ops_per_s},
      {"ops_per_s_min", report.ops_per_s_min},
      {"ops_per_s_max", report.ops_per_s_max},
      {"latency_ns", ToJson(report.latency_ns)},
      {"phase_ns",
       {{"queueing", ToJson(report.queueing_ns)},
        {"service", ToJson(report.service_ns)},
        {"notification", ToJson(report.notification_ns)}}},
      {"cpu_ns_per_op", report.cpu_ns_per_op},
      {"wakeups_per_completion", report.wakeups_per_completion},
      {"syscalls_per_completion", nullptr},
      {"card_lateness_ns", {{"mean", report.lateness_ns_mean}, {"max", report.lateness_ns_max}}}};
  if (report.syscalls_per_completion) {
    json["syscalls_per_completion"] = *report.syscalls_per_completion;
  }
  return json;
}

nlohmann::json ToJson(std::span<const RunReport> reports) {
  nlohmann::json environment;
  for (const auto& [name, value] : Environment()) environment[name] = value;
  nlohmann::json runs = nlohmann::json::array();
  for (const RunReport& report : reports) runs.push_back(ToJson(report));
  return {{"environment", std::move(environment)}, {"runs", std::move(runs)}};
}

hwsim::Expected<void> CheckWritable(const std::string& path) {
  if (path == "-" || ::access(path.c_str(), W_OK) == 0) return {};
  if (errno == ENOENT) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0) return {};
  }
  return hwsim::Unexpected(hwsim::SystemError(path, errno));
}

hwsim::Expected<void> WriteJson(const std::string& path, const nlohmann::json& json) {
  const std::string text = json.dump(2) + "\n";
  std::FILE* const file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
  if (file == nullptr) return hwsim::Unexpected(hwsim::SystemError(path, errno));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool flushed = (file == stdout ? std::fflush(file) : std::fclose(file)) == 0;
  if (!written || !flushed) return hwsim::Unexpected(hwsim::SystemError(path, errno));
  return {};
}

}  // namespace tools
