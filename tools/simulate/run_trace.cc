#include "tools/simulate/run_trace.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

namespace tools::simulate {

namespace {

using nlohmann::json;

// Groups of tracks. The trace format calls a group a process and a track a thread.
constexpr int kRunGroup = 0;
constexpr int kJobGroup = 1;
constexpr int kCardGroup = 2;

double Microseconds(hwsim::TimePoint at) {
  return static_cast<double>(at.time_since_epoch().count()) / 1000;
}

class Tracer {
 public:
  json Trace(std::span<const scenario::Event> events) {
    SetName("process_name", kRunGroup, 0, "run");
    SetName("process_name", kJobGroup, 0, "jobs");
    SetName("process_name", kCardGroup, 0, "card");
    for (const scenario::Event& event : events) Add(event);
    // The run may end while jobs are under way.
    if (!events.empty()) {
      for (auto& [job, slices] : open_slices_) {
        while (slices != 0) EndSlice(job, events.back().at);
      }
    }
    return {{"traceEvents", std::move(trace_)}, {"displayTimeUnit", "ns"}};
  }

 private:
  void SetName(const char* key, int group, uint32_t track, const std::string& name) {
    trace_.push_back(
        {{"ph", "M"}, {"name", key}, {"pid", group}, {"tid", track}, {"args", {{"name", name}}}});
  }
  void NameOnFirstUse(int group, uint32_t track, const char* prefix) {
    if (!named_tracks_.emplace(group, track).second) return;
    SetName("thread_name", group, track, prefix + std::to_string(track));
  }
  void BeginSlice(uint32_t job, hwsim::TimePoint at, const std::string& name) {
    ++open_slices_[job];
    trace_.push_back(
        {{"ph", "B"}, {"name", name}, {"pid", kJobGroup}, {"tid", job}, {"ts", Microseconds(at)}});
  }
  void EndSlice(uint32_t job, hwsim::TimePoint at) {
    if (open_slices_[job] == 0) return;
    --open_slices_[job];
    trace_.push_back({{"ph", "E"}, {"pid", kJobGroup}, {"tid", job}, {"ts", Microseconds(at)}});
  }
  // An event of the run is drawn across all tracks, another event on its track.
  void Instant(int group, uint32_t track, const scenario::Event& event) {
    trace_.push_back({{"ph", "i"},
                      {"s", group == kRunGroup ? "g" : "t"},
                      {"name", scenario::EventText(event)},
                      {"pid", group},
                      {"tid", track},
                      {"ts", Microseconds(event.at)}});
  }
  // Slices of one track must not overlap, but requests of a queue pair do: they are asynchronous
  // events.
  void Request(const char* phase, const scenario::Event& event) {
    trace_.push_back({{"ph", phase},
                      {"cat", "request"},
                      {"id", std::to_string(event.index) + "/" + std::to_string(event.number)},
                      {"name", "request " + std::to_string(event.number)},
                      {"pid", kCardGroup},
                      {"tid", event.index},
                      {"ts", Microseconds(event.at)}});
  }

  void AddJobEvent(const scenario::Event& event) {
    NameOnFirstUse(kJobGroup, event.index, "job ");
    switch (event.kind) {
      case scenario::EventKind::kStarted:
      case scenario::EventKind::kWaitsForResult:
      case scenario::EventKind::kWaitsForSpace:
        BeginSlice(event.index, event.at, scenario::EventText(event));
        return;
      case scenario::EventKind::kResumed:
        EndSlice(event.index, event.at);
        return;
      case scenario::EventKind::kEnded:
        Instant(kJobGroup, event.index, event);
        EndSlice(event.index, event.at);
        return;
      default:
        Instant(kJobGroup, event.index, event);
    }
  }

  void Add(const scenario::Event& event) {
    switch (event.kind) {
      case scenario::EventKind::kPushed:
        NameOnFirstUse(kCardGroup, event.index, "queue pair ");
        Request("b", event);
        return;
      case scenario::EventKind::kPopped:
        Request("e", event);
        return;
      case scenario::EventKind::kCompleted:
      case scenario::EventKind::kResponseRepeated:
      case scenario::EventKind::kInterrupt:
        NameOnFirstUse(kCardGroup, event.index, "queue pair ");
        Instant(kCardGroup, event.index, event);
        return;
      // A fault that struck a request belongs to the track of its queue pair, another fault to the
      // run.
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
        AddJobEvent(event);
        return;
    }
    Instant(kRunGroup, 0, event);
  }

  json trace_ = json::array();
  std::map<uint32_t, uint32_t> open_slices_;         // by job: slices begun and not ended
  std::set<std::pair<int, uint32_t>> named_tracks_;  // group and track
};

}  // namespace

json RunTrace(std::span<const scenario::Event> events) { return Tracer().Trace(events); }

}  // namespace tools::simulate
