#include "tools/scenario/event_log.h"

#include <array>
#include <string_view>

#include "engine/operation.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/model/card_state.h"
#include "hwsim/operations/request.h"

namespace tools::scenario {

namespace {

// What an event's `index` names, and with it how its line begins.
enum class Shape : uint8_t { kRequest, kQueuePair, kJob, kFault, kRun };
// What an event's `detail` holds.
enum class Detail : uint8_t { kNone, kOperation, kStatus, kOutcome, kState };

struct Form {
  Shape shape;
  std::string_view text;
  Detail detail = Detail::kNone;
};
constexpr std::array<Form, kEventKindCount> kForms = {{
    {Shape::kRequest, "pushed", Detail::kOperation},
    {Shape::kRequest, "completed", Detail::kStatus},
    {Shape::kQueuePair, "repeated response"},
    {Shape::kRequest, "popped"},
    {Shape::kQueuePair, "interrupt"},
    {Shape::kJob, "started", Detail::kOperation},
    {Shape::kJob, "waits for its result"},
    {Shape::kJob, "waits for space (EAGAIN)"},
    {Shape::kJob, "wait fd readable"},
    {Shape::kJob, "callback ran"},
    {Shape::kJob, "resumed"},
    {Shape::kJob, "cancelled by the application"},
    {Shape::kJob, "context freed by the application"},
    {Shape::kJob, "ended", Detail::kOutcome},
    {Shape::kFault, "fault"},
    {Shape::kRun, "card", Detail::kState},
    {Shape::kRun, "faults end"},
    {Shape::kRun, "operator reset"},
    {Shape::kRun, "liveness phase: every slot is used once more"},
    {Shape::kRun, "out of patience"},
    {Shape::kRun, "BROKEN"},
}};
static_assert(static_cast<size_t>(EventKind::kBroken) + 1 == kEventKindCount);

std::string_view DetailName(Detail detail, uint8_t value) {
  switch (detail) {
    case Detail::kOperation:
      return hwsim::operations::OperationName(static_cast<hwsim::operations::OperationKind>(value));
    case Detail::kStatus:
      return hwsim::operations::CompletionStatusName(
          static_cast<hwsim::operations::CompletionStatus>(value));
    case Detail::kOutcome:
      return engine::OutcomeName(static_cast<engine::Outcome>(value));
    case Detail::kState:
      return hwsim::model::CardStateName(static_cast<hwsim::model::CardState>(value));
    case Detail::kNone:
      break;
  }
  return "";
}

// One step of splitmix64: every bit of `word` reaches every bit of the hash.
uint64_t Mix(uint64_t hash, uint64_t word) {
  uint64_t z = (hash ^ word) + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

std::string EventText(const Event& event) {
  const Form& form = kForms[static_cast<size_t>(event.kind)];
  const std::string number = std::to_string(event.number);
  std::string text;
  switch (form.shape) {
    case Shape::kRequest:
      text = "request " + number + " ";
      break;
    case Shape::kJob:
      text = "operation " + number + " ";
      break;
    case Shape::kFault:
      text = "FAULT " + std::string(hwsim::faults::FaultName(
                            static_cast<hwsim::faults::FaultKind>(event.detail)));
      if (event.number != 0) {
        text += ", queue pair " + std::to_string(event.index) + ", request " + number;
      }
      return text;
    case Shape::kQueuePair:
    case Shape::kRun:
      break;
  }
  text += form.text;
  const std::string_view detail = DetailName(form.detail, event.detail);
  if (!detail.empty()) text += " (" + std::string(detail) + ")";
  return text;
}

std::string EventLine(const Event& event) {
  const Shape shape = kForms[static_cast<size_t>(event.kind)].shape;
  std::string line = std::to_string(event.at.time_since_epoch().count()) + "ns ";
  if (shape == Shape::kRequest || shape == Shape::kQueuePair) {
    line += "queue pair " + std::to_string(event.index) + ": ";
  } else if (shape == Shape::kJob) {
    line += "job " + std::to_string(event.index) + ": ";
  }
  return line + EventText(event);
}

void EventLog::Append(const Event& event) {
  ++count_;
  hash_ = Mix(hash_, static_cast<uint64_t>(event.at.time_since_epoch().count()));
  hash_ = Mix(hash_, event.number);
  hash_ = Mix(hash_, uint64_t{event.index} << 16 | static_cast<uint64_t>(event.kind) << 8 |
                         uint64_t{event.detail});
  if (keep_) events_.push_back(event);
  if (on_event) on_event(event);
}

}  // namespace tools::scenario
