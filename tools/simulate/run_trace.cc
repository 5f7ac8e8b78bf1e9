#include "tools/simulate/run_trace.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

namespace tools::simulate {

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
  json Trace(std::span<const scenario::Event> events) {
    Name("process_name", kRunGroup, 0, "run");
    Name("process_name", kJobGroup, 0, "jobs");
    Name("process_name", kCardGroup, 0, "card");
    for (const scenario::Event& event : events) Add(event);
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
  void Instant(int group, uint32_t track, const scenario::Event& event) {
    trace_.push_back({{"ph", "i"},
                      {"s", group == kRunGroup ? "g" : "t"},
                      {"name", scenario::EventText(event)},
                      {"pid", group},
                      {"tid", track},
                      {"ts", Microseconds(event.at)}});
  }
  // Requests of a queue pair overlap, so they are asynchronous events of the format.
  void Request(const char* phase, const scenario::Event& event) {
    trace_.push_back({{"ph", phase},
                      {"cat", "request"},
                      {"id", std::to_string(event.index) + "/" + std::to_string(event.number)},
                      {"name", "request " + std::to_string(event.number)},
                      {"pid", kCardGroup},
                      {"tid", event.index},
                      {"ts", Microseconds(event.at)}});
  }

  void AddJobs(const scenario::Event& event) {
    Use(kJobGroup, event.index, "job ");
    switch (event.kind) {
      case scenario::EventKind::kStarted:
      case scenario::EventKind::kWaitsForResult:
      case scenario::EventKind::kWaitsForSpace:
        Begin(event.index, event.at, scenario::EventText(event));
        return;
      case scenario::EventKind::kResumed:
        End(event.index, event.at);
        return;
      case scenario::EventKind::kEnded:
        Instant(kJobGroup, event.index, event);
        End(event.index, event.at);
        return;
      default:
        Instant(kJobGroup, event.index, event);
    }
  }

  void Add(const scenario::Event& event) {
    switch (event.kind) {
      case scenario::EventKind::kPushed:
        Use(kCardGroup, event.index, "queue pair ");
        Request("b", event);
        return;
      case scenario::EventKind::kPopped:
        Request("e", event);
        return;
      case scenario::EventKind::kCompleted:
      case scenario::EventKind::kResponseRepeated:
      case scenario::EventKind::kInterrupt:
        Use(kCardGroup, event.index, "queue pair ");
        Instant(kCardGroup, event.index, event);
        return;
      case scenario::EventKind::kFault:
        if (event.number != 0) {
          Instant(kCardGroup, event.index, event);
          return;
        }
        break;
      case scenario::EventKind::kCardState:
      case scenario::EventKind::kFaultsEnd:
      case scenario::EventKind::kOperatorReset:
      case scenario::EventKind::kLivenessPhase:
      case scenario::EventKind::kOutOfPatience:
      case scenario::EventKind::kBroken:
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

json RunTrace(std::span<const scenario::Event> events) { return Tracer().Trace(events); }

}  // namespace tools::simulate
