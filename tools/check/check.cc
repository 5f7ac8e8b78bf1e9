#include "tools/check/check.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>
#include <utility>

#include "tools/check/check_rules.h"
#include "tools/text/table.h"

namespace tools::check {
namespace {

using waitctx::check::Counts;
using waitctx::check::Finding;
using waitctx::check::ReportFile;
using waitctx::check::Rule;
using waitctx::check::Trace;

constexpr int kExitFindings = 1;
constexpr int kExitBadUsage = 2;
constexpr int kExitProgramFailed = 3;  // in place of 1 and 2
constexpr int kExitCannotRun = 126;
constexpr int kExitNotFound = 127;
constexpr int kExitSignalled = 128;

std::vector<SiteFrame> FramesOf(const ReportFile& file, const Trace& trace, Symbols& symbols) {
  std::vector<SiteFrame> frames;
  for (uint32_t i = 0; i < trace.depth; ++i) {
    SiteFrame frame{.address = trace.frames[i].address};
    const uint32_t module = trace.frames[i].module;
    if (module >= waitctx::check::kModulesMax) {
      frames.push_back(std::move(frame));
      continue;
    }
    frame.module = file.modules[module].path;
    for (SourcePlace& place : symbols.Find(frame.module, frame.address)) {
      frame.place = std::move(place);
      frames.push_back(frame);
    }
  }
  return frames;
}

// Equal keys: one finding, reported by several processes. Modules are compared by path, since each
// process numbers them itself.
using Key = std::tuple<Rule, std::vector<std::pair<std::string_view, uint64_t>>, size_t>;
Key KeyOf(const ReportFile& file, const Finding& finding) {
  Key key{finding.rule, {}, finding.site.depth};
  for (const Trace* trace : {&finding.site, &finding.origin}) {
    for (uint32_t i = 0; i < trace->depth; ++i) {
      const auto& frame = trace->frames[i];
      const bool known = frame.module < waitctx::check::kModulesMax;
      std::get<1>(key).emplace_back(known ? file.modules[frame.module].path : "", frame.address);
    }
  }
  return key;
}

void CollectFindings(const ReportFile& file, const CheckOptions& options, CheckReport& report) {
  std::map<Key, size_t> known;
  Symbols symbols;
  const size_t taken = file.findings_taken.load(std::memory_order_relaxed);
  for (size_t i = 0; i < taken; ++i) {
    const Finding& finding = file.findings[i];
    // Acquire: pairs with the recorder's release. Not ready: the process ended while it wrote.
    if (!finding.ready.load(std::memory_order_acquire)) continue;
    const uint64_t count = finding.count.load(std::memory_order_relaxed);
    if (std::find(options.ignored.begin(), options.ignored.end(), finding.rule) !=
        options.ignored.end()) {
      report.ignored += count;
      continue;
    }
    const auto [entry, made] = known.try_emplace(KeyOf(file, finding), report.findings.size());
    if (made) {
      report.findings.push_back({.rule = finding.rule,
                                 .site = FramesOf(file, finding.site, symbols),
                                 .origin = FramesOf(file, finding.origin, symbols)});
    }
    CheckFinding& merged = report.findings[entry->second];
    merged.count += count;
    merged.measure = std::max(merged.measure, finding.worst.load(std::memory_order_relaxed));
  }
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
}

void CollectCounts(const Counts& counts, CheckReport& report) {
  report.contexts = counts.contexts.load(std::memory_order_relaxed);
  report.jobs = counts.jobs.load(std::memory_order_relaxed);
  report.pauses = counts.pauses.load(std::memory_order_relaxed);
  report.resumes = counts.resumes.load(std::memory_order_relaxed);
  report.retries = counts.retries.load(std::memory_order_relaxed);
  report.polls = counts.polls.load(std::memory_order_relaxed);
  report.callbacks = counts.callbacks.load(std::memory_order_relaxed);
}

void CollectNotes(const ReportFile& file, CheckReport& report) {
  report.processes = file.processes_taken.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < report.processes; ++i) {
    const auto& process = file.processes[i];
    const pid_t pid = process.pid.load(std::memory_order_acquire);
    if (process.ended.load(std::memory_order_acquire)) continue;
    if (kill(pid, 0) == 0) {
      report.notes.push_back(fmt::format(
          "process {} still runs: this report does not include what it does from now on", pid));
    } else if (const int64_t paused = process.paused_jobs.load(std::memory_order_relaxed);
               paused > 0) {
      report.notes.push_back(
          fmt::format("process {} ended by a signal or _exit, with {} paused job{}", pid, paused,
                      paused == 1 ? "" : "s"));
    }
  }
  if (const uint64_t lost = file.lost.load(std::memory_order_relaxed); lost > 0) {
    report.notes.push_back(fmt::format("{} more findings did not fit in the report", lost));
  }
  if (report.jobs == 0) {
    report.notes.push_back(
        "the program started no asynchronous job: nothing was checked (it may not use jobs, or may "
        "be linked with a static OpenSSL)");
  }
}

std::string FormatEnd(const ProgramEnd& end) {
  if (end.signal == 0) return fmt::format("exit code {}", end.exit_code);
  const char* name = sigabbrev_np(end.signal);
  return fmt::format("ended by SIG{}", name == nullptr ? std::to_string(end.signal) : name);
}

std::string FormatFrame(const SiteFrame& frame) {
  const std::string module = std::filesystem::path(frame.module).filename();
  const std::string function =
      frame.place.function.empty() ? fmt::format("0x{:x}", frame.address) : frame.place.function;
  if (frame.place.line > 0) {
    return fmt::format("{}  {}:{}", function, frame.place.file, frame.place.line);
  }
  return fmt::format("{}  ({})", function, module.empty() ? "unknown file" : module);
}

std::string FormatFrames(std::string_view label, const std::vector<SiteFrame>& frames) {
  std::string text;
  if (frames.empty()) return text;
  text += fmt::format("     {}\n", label);
  for (const SiteFrame& frame : frames) {
    text += fmt::format("       {}\n", FormatFrame(frame));
    if (frame.place.function == "main") break;  // the frames above main are the C library's
  }
  return text;
}

std::string FormatMeasure(const RuleText& rule, int64_t measure) {
  switch (rule.measure) {
    case Measure::kNone:
      return "";
    case Measure::kFd:
      return fmt::format(", fd {}", measure);
    case Measure::kNanoseconds:
      return fmt::format(", {} at worst", text::FormatNanoseconds(static_cast<double>(measure)));
    case Measure::kCount:
      return fmt::format(", {} at a time", measure);
  }
  return "";
}

// Lines of at most 96 columns, each after `indent`.
std::string Wrap(std::string_view text, std::string_view indent) {
  constexpr size_t kColumns = 96;
  std::string wrapped(indent);
  size_t column = indent.size();
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (column > indent.size() && column + 1 + word.size() > kColumns) {
      wrapped += fmt::format("\n{}", indent);
      column = indent.size();
    } else if (column > indent.size()) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += word.size();
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return wrapped + "\n";
}

nlohmann::json ToJson(const std::vector<SiteFrame>& frames) {
  nlohmann::json list = nlohmann::json::array();
  for (const SiteFrame& frame : frames) {
    list.push_back({{"function", frame.place.function},
                    {"file", frame.place.file},
                    {"line", frame.place.line},
                    {"module", frame.module},
                    {"address", frame.address}});
  }
  return list;
}

nlohmann::json ToJson(const CheckFinding& finding) {
  const RuleText& rule = TextOf(finding.rule);
  nlohmann::json json = {{"rule", rule.name},
                         {"headline", rule.headline},
                         {"manual", rule.manual},
                         {"count", finding.count},
                         {"site", {{"what", rule.site}, {"frames", ToJson(finding.site)}}}};
  if (!finding.origin.empty()) {
    json["origin"] = {{"what", rule.origin}, {"frames", ToJson(finding.origin)}};
  }
  if (rule.measure == Measure::kFd) json["fd"] = finding.measure;
  if (rule.measure == Measure::kNanoseconds) json["worst_ns"] = finding.measure;
  if (rule.measure == Measure::kCount) json["at_a_time"] = finding.measure;
  return json;
}

}  // namespace

tl::expected<CheckReport, CheckFailure> RunCheck(const CheckOptions& options) {
  const auto fail = [](int code, std::string message) {
    return tl::unexpected(CheckFailure{code, std::move(message)});
  };
  const std::string& name = options.command.front();
  const auto program = FindProgram(name);
  if (!program) {
    return fail(program.error().error_number == ENOENT ? kExitNotFound : kExitCannotRun,
                program.error().message);
  }
  if (const std::string why = WhyNotPreloaded(*program); !why.empty()) {
    return fail(kExitBadUsage, fmt::format("{} cannot be checked: {}", name, why));
  }
  const auto library = FindCheckLibrary();
  if (!library) return fail(kExitCannotRun, library.error().message);
  const auto mapping = ReportMapping::Create();
  if (!mapping) return fail(kExitCannotRun, mapping.error().message);

  const auto end =
      RunProgram(*program, options.command, *library, (*mapping)->path(), options.callback_bound);
  if (!end) return fail(kExitCannotRun, end.error().message);
  const ReportFile& file = (*mapping)->file();
  if (file.processes_taken.load(std::memory_order_relaxed) == 0) {
    return fail(kExitBadUsage,
                fmt::format("{} was run ({}), but did not load the checking library: nothing was "
                            "checked",
                            name, FormatEnd(*end)));
  }
  CheckReport report{.command = options.command, .end = *end};
  CollectFindings(file, options, report);
  CollectCounts(file.counts, report);
  CollectNotes(file, report);
  return report;
}

std::string CheckText(const CheckReport& report) {
  std::string text =
      fmt::format("ghostcard check: {}: {}\n", report.command.front(), FormatEnd(report.end));
  size_t number = 0;
  for (const CheckFinding& finding : report.findings) {
    const RuleText& rule = TextOf(finding.rule);
    text += fmt::format("\n{}. {}: {} ({} time{}{})\n", ++number, rule.name, rule.headline,
                        finding.count, finding.count == 1 ? "" : "s",
                        FormatMeasure(rule, finding.measure));
    text += FormatFrames(rule.site, finding.site);
    text += FormatFrames(rule.origin, finding.origin);
    text += Wrap(rule.manual, "     ");
  }
  text += fmt::format(
      "\nprocesses {}, wait contexts {}, jobs {}, pauses {}, callbacks {}, resumes {} (after "
      "EAGAIN "
      "{}, with nothing to wait on {})\n",
      report.processes, report.contexts, report.jobs, report.pauses, report.callbacks,
      report.resumes, report.retries, report.polls);
  for (const std::string& note : report.notes) text += fmt::format("note: {}\n", note);
  text += report.findings.empty() ? "no findings"
                                  : fmt::format("{} finding{}", report.findings.size(),
                                                report.findings.size() == 1 ? "" : "s");
  if (report.ignored > 0) text += fmt::format(", and {} times an ignored rule", report.ignored);
  return text + "\n";
}

nlohmann::json ToJson(const CheckReport& report) {
  nlohmann::json findings = nlohmann::json::array();
  for (const CheckFinding& finding : report.findings) findings.push_back(ToJson(finding));
  nlohmann::json program = {{"command", report.command}};
  if (report.end.signal == 0) {
    program["exit_code"] = report.end.exit_code;
  } else {
    program["signal"] = report.end.signal;
  }
  return {{"program", std::move(program)},
          {"findings", std::move(findings)},
          {"ignored", report.ignored},
          {"counts",
           {{"contexts", report.contexts},
            {"jobs", report.jobs},
            {"pauses", report.pauses},
            {"resumes", report.resumes},
            {"resumes_after_eagain", report.retries},
            {"resumes_with_nothing_to_wait_on", report.polls},
            {"callbacks", report.callbacks},
            {"processes", report.processes}}},
          {"notes", report.notes}};
}

int CheckExitCode(const CheckReport& report) {
  if (!report.findings.empty()) return kExitFindings;
  if (report.end.signal != 0) return kExitSignalled + report.end.signal;
  const int code = report.end.exit_code;
  return code == kExitFindings || code == kExitBadUsage ? kExitProgramFailed : code;
}

}  // namespace tools::check
