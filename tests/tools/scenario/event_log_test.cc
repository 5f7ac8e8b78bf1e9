// The event log: its hash covers each field and the order, and each kind of event has its line.
#include "tools/scenario/event_log.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "engine/operation.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/model/card_state.h"
#include "hwsim/operations/request.h"

namespace tools::scenario {
namespace {

using namespace std::chrono_literals;

constexpr hwsim::TimePoint kTime = hwsim::TimePoint(12500ns);

uint64_t HashOf(const std::vector<Event>& events) {
  EventLog log(false);
  for (const Event& event : events) log.Append(event);
  return log.hash();
}

Event Pushed() {
  return {.at = kTime,
          .number = 7,
          .index = 1,
          .kind = EventKind::kPushed,
          .detail = static_cast<uint8_t>(hwsim::operations::OperationKind::kSha256)};
}

TEST(EventLogTest, EqualEventsHaveEqualHashes) {
  EXPECT_EQ(HashOf({Pushed(), Pushed()}), HashOf({Pushed(), Pushed()}));
}

TEST(EventLogTest, HashCoversEachFieldAndTheNumberOfEvents) {
  std::set<uint64_t> hashes = {HashOf({}), HashOf({Pushed()}), HashOf({Pushed(), Pushed()})};
  Event event = Pushed();
  event.at += 1ns;
  hashes.insert(HashOf({event}));
  event = Pushed();
  ++event.number;
  hashes.insert(HashOf({event}));
  event = Pushed();
  ++event.index;
  hashes.insert(HashOf({event}));
  event = Pushed();
  event.kind = EventKind::kPopped;
  hashes.insert(HashOf({event}));
  event = Pushed();
  ++event.detail;
  hashes.insert(HashOf({event}));
  EXPECT_EQ(hashes.size(), 8u);
}

TEST(EventLogTest, HashCoversTheOrder) {
  Event other = Pushed();
  other.kind = EventKind::kPopped;
  EXPECT_NE(HashOf({Pushed(), other}), HashOf({other, Pushed()}));
}

// A log of today replays under tomorrow's version: the hash of given events is part of the format.
TEST(EventLogTest, HashOfGivenEventsNeverChanges) {
  EXPECT_EQ(HashOf({Pushed(), {.at = kTime, .kind = EventKind::kBroken}}), 13616772871676522985u);
}

TEST(EventLogTest, KeepsEventsOnlyWhenAsked) {
  EventLog kept(true);
  EventLog hashed(false);
  std::vector<Event> seen;
  hashed.on_event = [&](const Event& event) { seen.push_back(event); };
  for (EventLog* const log : {&kept, &hashed}) {
    log->Append(Pushed());
    EXPECT_EQ(log->count(), 1u);
  }
  EXPECT_EQ(kept.events(), std::vector<Event>{Pushed()});
  EXPECT_TRUE(hashed.events().empty());
  EXPECT_EQ(seen, std::vector<Event>{Pushed()});
}

TEST(EventLogTest, LinesNameTheQueuePairOrTheJob) {
  EXPECT_EQ(EventLine(Pushed()), "12500ns queue pair 1: request 7 pushed (sha256)");
  EXPECT_EQ(EventLine({.at = kTime,
                       .number = 3,
                       .index = 2,
                       .kind = EventKind::kEnded,
                       .detail = static_cast<uint8_t>(engine::Outcome::kDeviceError)}),
            "12500ns job 2: operation 3 ended (device_error)");
  EXPECT_EQ(EventLine({.at = kTime,
                       .kind = EventKind::kCardState,
                       .detail = static_cast<uint8_t>(hwsim::model::CardState::kLost)}),
            "12500ns card (lost)");
}

TEST(EventLogTest, FaultsNameTheRequestThatTheyHit) {
  Event fault{.at = kTime,
              .number = 7,
              .index = 1,
              .kind = EventKind::kFault,
              .detail = static_cast<uint8_t>(hwsim::faults::FaultKind::kResponseDropped)};
  EXPECT_EQ(EventText(fault), "FAULT response_dropped, queue pair 1, request 7");
  fault.number = fault.index = 0;
  EXPECT_EQ(EventText(fault), "FAULT response_dropped");
}

TEST(EventLogTest, EachKindHasATextOfItsOwn) {
  std::set<std::string> texts;
  for (size_t i = 0; i < kEventKindCount; ++i) {
    texts.insert(EventText({.kind = static_cast<EventKind>(i)}));
  }
  EXPECT_EQ(texts.size(), kEventKindCount);
}

}  // namespace
}  // namespace tools::scenario
