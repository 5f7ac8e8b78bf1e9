// Helpers for tests of the card model: profiles with round figures, models that are quick to feed,
// and events as short words.
#ifndef GHOSTCARD_TESTS_HWSIM_MODEL_MODEL_FIXTURE_H_
#define GHOSTCARD_TESTS_HWSIM_MODEL_MODEL_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "hwsim/base/clock.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/model/card_model.h"
#include "hwsim/model/profile.h"
#include "hwsim/operations/request.h"

namespace hwsim::model {

inline TimePoint At(Duration since_epoch) { return TimePoint(since_epoch); }

// One word an event: "1@570us" request 1 completes, "1@5us?" with a device error, "1@5us#" by a
// reset, "1@5us+" once more; "!0@10us" queue pair 0's line rises.
inline std::string Word(const ModelEvent& event) {
  const std::string at = "@" + FormatDuration(event.at.time_since_epoch());
  switch (event.kind) {
    case ModelEvent::Kind::kInterrupt:
      return "!" + std::to_string(event.queue_pair) + at;
    case ModelEvent::Kind::kRepeat:
      return std::to_string(event.request) + at + "+";
    case ModelEvent::Kind::kComplete:
      break;
  }
  const char* const mark = event.status == operations::CompletionStatus::kOk            ? ""
                           : event.status == operations::CompletionStatus::kDeviceError ? "?"
                                                                                        : "#";
  return std::to_string(event.request) + at + mark;
}

inline std::string Log(const std::vector<ModelEvent>& events) {
  std::string log;
  for (const ModelEvent& event : events) log += (log.empty() ? "" : " ") + Word(event);
  return log;
}

// One word a fault: "card_reset@5us", or "wake_up:3@5us" when it hit request 3.
inline std::string Log(const std::vector<ModelFault>& faults) {
  std::string log;
  for (const ModelFault& fired : faults) {
    log += (log.empty() ? "" : " ") + std::string(faults::FaultName(fired.fault.kind));
    if (fired.request != kNoRequest) log += ":" + std::to_string(fired.request);
    log += "@" + FormatDuration(fired.at.time_since_epoch());
  }
  return log;
}

// What happens up to `until`, with one Advance.
inline std::string LogUntil(CardModel& model, Duration until) {
  std::vector<ModelEvent> events;
  model.Advance(At(until), events);
  return Log(events);
}

// A kCopy takes `service` on a service unit, and `transit` on its way.
inline Profile Simple(uint32_t service_units, Duration service = std::chrono::microseconds(10),
                      Duration transit = {}) {
  Profile profile{.service_units = service_units};
  profile.cost(operations::OperationKind::kCopy).service.base = service;
  profile.transit.base = transit;
  return profile;
}

// A card model without interrupts.
class QuietModel : public CardModel {
 public:
  explicit QuietModel(const Profile& profile, uint32_t queue_pairs = 1, uint64_t seed = 1)
      : CardModel(profile, queue_pairs, seed) {
    SetInterrupts(false);
  }
  void Copy(Duration at, RequestId request, uint32_t queue_pair = 0) {
    Arrive(At(at), request, queue_pair, operations::OperationKind::kCopy, 0);
  }
};

// A card with these faults. A kCopy takes 10 us on a service unit, a kNull takes no time, and each
// completion raises an interrupt.
inline Profile Faulty(std::vector<faults::FaultRule> rules, uint32_t service_units = 1) {
  Profile profile{.service_units = service_units, .faults = {.rules = std::move(rules)}};
  profile.cost(operations::OperationKind::kCopy).service.base = std::chrono::microseconds(10);
  EXPECT_TRUE(profile.Validate());
  return profile;
}

// A card model that says what happens and which faults strike.
class FaultyModel : public CardModel {
 public:
  explicit FaultyModel(const Profile& profile, bool interrupts = false, uint32_t queue_pairs = 1)
      : CardModel(profile, queue_pairs, 1) {
    SetInterrupts(interrupts);
  }
  void Copy(Duration at, RequestId request, uint32_t queue_pair = 0) {
    Arrive(At(at), request, queue_pair, operations::OperationKind::kCopy, 0);
  }
  void Null(Duration at, RequestId request, uint32_t queue_pair = 0) {
    Arrive(At(at), request, queue_pair, operations::OperationKind::kNull, 0);
  }
  std::string Until(Duration time) {
    std::vector<ModelEvent> events;
    Advance(At(time), events);
    return Log(events);
  }
  std::string Faults() {
    std::vector<ModelFault> faults;
    TakeFaults(faults);
    return Log(faults);
  }
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_TESTS_HWSIM_MODEL_MODEL_FIXTURE_H_
