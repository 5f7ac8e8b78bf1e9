#include "tools/run_trace.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

namespace tools {

namespace {

using nlohmann::json;

// The groups of tracks, which the format calls processes.
constexpr int kRunGroup = 0;
constexpr int kJobGroup = 1;
constexpr int kCardGroup = 2;

double Microseconds(hwsim::TimePoint at) {
  return static_cast<double>(at.time_since_epoch().count()) / 1000;
}

class Tracer {
 public:
  json Trace(std::span<const Event> events) {
    Name("process_name", kRunGroup, 0, "run");
    Name("process_name", kJobGroup, 0, "jobs");
    Name("process_name", kCardGroup, 0, "card");
    for (const Event& event : events) Add(event);
    // Ends the slices that are still open at the end of the run.
    if (!events.empty()) {
      for (auto& [job, slices] : open_) {
        while (slices != 0) End(job, events.back().at);
      }
    }
    return {{"traceEvents", std::move(trace_)}, {"displayTimeUnit", "ns"}};
  }

 private:
  void Name(const char* what, int group, uint32_t track, const std::string& name) {
    trace_.push_back(
        {{"ph", "M"}, {"name", what}, {"pid", group}, {"tid", track}, {"args", {{"name", name}}}});
  }
  // Names the track when it is first used.
  void Use(int group, uint32_t track, const char* what) {
    if (!used_.emplace(group, track).second) return;
    Name("thread_name", group, track, what + std::to_string(track));
  }
  void Begin(uint32_t job, hwsim::TimePoint at, const std::string& name) {
    ++open_[job];
    trace_.push_back(
        {{"ph", "B"}, {"name", name}, {"pid", kJobGroup}, {"tid", job}, {"ts", Microseconds(at)}});
  }
  void End(uint32_t job, hwsim::TimePoint at) {
    if (open_[job] == 0) return;
    --open_[job];
    trace_.push_back({{"ph", "E"}, {"pid", kJobGroup}, {"tid", job}, {"ts", Microseconds(at)}});
  }
  void Instant(int group, uint32_t track, const Event& event) {
    trace_.push_back({{"ph", "i"},
                      {"s", group == kRunGroup ? "g" : "t"},
                      {"name", EventText(event)},
                      {"pid", group},
                      {"tid", track},
                      {"ts", Microseconds(event.at)}});
  }
  // Requests of a queue pair overlap, so they are asynchronous events of the format.
  void Request(const char* phase, const Event& event) {
    trace_.push_back({{"ph", phase},
                      {"cat", "request"},
                      {"id", std::to_string(event.index) + "/" + std::to_string(event.number)},
                      {"name", "request " + std::to_string(event.number)},
                      {"pid", kCardGroup},
                      {"tid", event.index},
                      {"ts", Microseconds(event.at)}});
  }

  void AddJobs(const Event& event) {
    Use(kJobGroup, event.index, "job ");
    switch (event.kind) {
      case EventKind::kStarted:
      case EventKind::kWaitsForResult:
      case EventKind::kWaitsForSpace:
        Begin(event.index, event.at, EventText(event));
        return;
      case EventKind::kResumed:
        End(event.index, event.at);
        return;
      case EventKind::kEnded:
        Instant(kJobGroup, event.index, event);
        End(event.index, event.at);
        return;
      default:
        Instant(kJobGroup, event.index, event);
    }
  }

  void Add(const Event& event) {
    switch (event.kind) {
      case EventKind::kPushed:
        Use(kCardGroup, event.index, "queue pair ");
        Request("b", event);
        return;
      case EventKind::kPopped:
        Request("e", event);
        return;
      case EventKind::kCompleted:
      case EventKind::kResponseRepeated:
      case EventKind::kInterrupt:
        Use(kCardGroup, event.index, "queue pair ");
        Instant(kCardGroup, event.index, event);
        return;
      case EventKind::kFault:
        if (event.number != 0) {
          Instant(kCardGroup, event.index, event);
          return;
        }
        break;
      case EventKind::kCardState:
      case EventKind::kFaultsEnd:
      case EventKind::kOperatorReset:
      case EventKind::kLivenessPhase:
      case EventKind::kOutOfPatience:
      case EventKind::kBroken:
        break;
      default:
        AddJobs(event);
        return;
    }
    Instant(kRunGroup, 0, event);
  }

  json trace_ = json::array();
  std::map<uint32_t, uint32_t> open_;  // slices of a job that have begun and not ended
  std::set<std::pair<int, uint32_t>> used_;
};

}  // namespace

json RunTrace(std::span<const Event> events) { return Tracer().Trace(events); }

}  // namespace tools
