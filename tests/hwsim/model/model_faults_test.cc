// What each kind of fault does inside the model: to a response, an interrupt, the card.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "hwsim/model/card_model.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using enum faults::FaultKind;

TimePoint At(Duration since_epoch) { return TimePoint(since_epoch); }

// One word an event: "1@570us" request 1 completes, "1@5us?" with a device error, "1@5us#" by a
// reset, "1@5us+" once more; "!0@10us" queue pair 0's line rises.
std::string Word(const ModelEvent& event) {
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

std::string Line(const std::vector<ModelEvent>& events) {
  std::string line;
  for (const ModelEvent& event : events) line += (line.empty() ? "" : " ") + Word(event);
  return line;
}

// "card_reset", or with the request that it hit "wake_up:3".
std::string Line(const std::vector<ModelFault>& faults) {
  std::string line;
  for (const ModelFault& fired : faults) {
    line += (line.empty() ? "" : " ") + std::string(faults::FaultName(fired.fault.kind));
    if (fired.request != kNoRequest) line += ":" + std::to_string(fired.request);
    line += "@" + FormatDuration(fired.at.time_since_epoch());
  }
  return line;
}

// One service unit, 10 us a kCopy; kNull takes none; moderation off.
Profile Faulty(std::vector<faults::FaultRule> rules, uint32_t service_units = 1) {
  Profile profile{.service_units = service_units, .faults = {.rules = std::move(rules)}};
  profile.cost(operations::OperationKind::kCopy).service.base = 10us;
  EXPECT_TRUE(profile.Validate());
  return profile;
}

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
    return Line(events);
  }
  std::string Faults() {
    std::vector<ModelFault> faults;
    TakeFaults(faults);
    return Line(faults);
  }
};

// --- responses ---

TEST(ModelFaultsTest, CompletionErrorIsLoggedAsItIsDecided) {
  FaultyModel model(Faulty({{.kind = kCompletionError, .nth = 2}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(1us, id);
  EXPECT_EQ(model.Faults(), "completion_error:2@1us");
  EXPECT_EQ(model.Until(1ms), "1@11us 2@21us? 3@31us");
  EXPECT_EQ(model.Faults(), "");
}

TEST(ModelFaultsTest, DroppedResponseNeverArrivesAndOccupiesNoUnit) {
  FaultyModel model(Faulty({{.kind = kResponseDropped, .nth = 1}}));
  for (RequestId id = 1; id <= 2; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1h), "2@20us");
  EXPECT_EQ(model.pending(), 1u);
  EXPECT_EQ(model.NextEvent(), std::nullopt);
}

TEST(ModelFaultsTest, DelayedResponseIsOvertaken) {
  FaultyModel model(Faulty({{.kind = kResponseDelayed, .nth = 1, .time = 15us}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1ms), "2@20us 1@25us 3@30us");
}

TEST(ModelFaultsTest, DuplicatedResponseComesAgain) {
  FaultyModel model(Faulty({{.kind = kResponseDuplicated, .nth = 1, .time = 3us, .times = 2}}),
                    true);
  model.Copy(0us, 7);
  EXPECT_EQ(model.Until(1ms), "7@10us !0@10us 7@13us+ !0@13us 7@16us+ !0@16us");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(ModelFaultsTest, ReorderedResponseIsOvertakenByTheGivenNumber) {
  FaultyModel model(Faulty({{.kind = kResponseReordered, .nth = 1, .times = 2}}, 8));
  for (RequestId id = 1; id <= 4; ++id) model.Null(0us, id);
  EXPECT_EQ(model.Until(0us), "2@0ns 3@0ns 1@0ns 4@0ns");
}

TEST(ModelFaultsTest, ReorderedResponseDoesNotWaitForEverForOthers) {
  FaultyModel model(Faulty({{.kind = kResponseReordered, .nth = 1, .time = 5us}}));
  model.Copy(0us, 1);
  EXPECT_EQ(model.Until(1ms), "1@15us");
  EXPECT_EQ(model.NextEvent(), std::nullopt);
}

TEST(ModelFaultsTest, ReorderedResponseIsNotOvertakenByAnotherQueuePair) {
  FaultyModel model(Faulty({{.kind = kResponseReordered, .nth = 1, .time = 50us}}, 8), false, 2);
  model.Null(0us, 1, 0);
  model.Null(0us, 2, 1);
  EXPECT_EQ(model.Until(49us), "2@0ns");
  EXPECT_EQ(model.Until(1ms), "1@50us");
}

TEST(ModelFaultsTest, StalledResponseRingHoldsAllOfItsQueuePairAndKeepsTheirOrder) {
  FaultyModel model(Faulty({{.kind = kResponseRingStalled, .nth = 2, .time = 100us}}, 8), false, 2);
  model.Copy(0us, 1, 0);
  model.Copy(5us, 2, 0);
  model.Copy(6us, 3, 0);
  model.Copy(6us, 9, 1);
  EXPECT_EQ(model.Until(104us), "9@16us");
  EXPECT_EQ(model.Until(1ms), "1@105us 2@105us 3@105us");
}

TEST(ModelFaultsTest, StallOnAStallLastsAsLongAsTheLater) {
  FaultyModel model(Faulty({{.kind = kResponseRingStalled, .every_nth = 1, .time = 100us}}, 8));
  model.Copy(0us, 1);
  model.Copy(50us, 2);
  EXPECT_EQ(model.Until(1ms), "1@150us 2@150us");
}

// --- services ---

TEST(ModelFaultsTest, SlowInstanceMultipliesTheServiceTime) {
  FaultyModel model(Faulty({{.kind = kSlowInstance, .queue_pair = 1, .from = 0us, .factor = 5}}, 8),
                    false, 2);
  model.Copy(0us, 1, 0);
  model.Copy(0us, 2, 1);
  EXPECT_EQ(model.Until(1ms), "1@10us 2@50us");
}

TEST(ModelFaultsTest, WakeUpDelaysARequestThatFindsTheCardIdle) {
  FaultyModel model(Faulty({{.kind = kWakeUp, .every_nth = 1, .time = 100us, .idle = 1ms}}));
  model.Copy(500us, 1);  // idle, but not for so long
  model.Copy(5ms, 2);
  model.Copy(5ms, 3);
  EXPECT_EQ(model.Faults(), "wake_up:2@5ms");
  EXPECT_EQ(model.Until(10ms), "1@510us 2@5110us 3@5120us");
}

TEST(ModelFaultsTest, ThrottledCardIsSlowerForAWhile) {
  FaultyModel model(Faulty({{.kind = kThrottled, .at = 5us, .time = 20us, .factor = 3}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  // The first began before, the second begins within, the third after it.
  EXPECT_EQ(model.Until(1ms), "1@10us 2@40us 3@50us");
  EXPECT_EQ(model.Faults(), "throttled@5us");
}

TEST(ModelFaultsTest, FactorIsCutAtAnHour) {
  Profile profile = Faulty({{.kind = kSlowInstance, .nth = 1, .factor = 1e6}});
  profile.cost(operations::OperationKind::kCopy).service.base = 1min;
  FaultyModel model(profile);
  model.Copy(0us, 1);
  EXPECT_EQ(model.Until(2h), "1@3600s");
}

// --- the card as a whole ---

TEST(ModelFaultsTest, HangMovesEverythingBehindIt) {
  FaultyModel model(Faulty({{.kind = kCardHang, .at = 15us, .time = 100us}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(50us), "1@10us");
  EXPECT_EQ(model.heartbeat_stopped(), At(15us));
  EXPECT_EQ(model.NextEvent(), At(115us));
  EXPECT_EQ(model.state(), CardState::kUp);
  EXPECT_EQ(model.Until(1ms), "2@120us 3@130us");
  EXPECT_EQ(model.heartbeat_stopped(), std::nullopt);
}

TEST(ModelFaultsTest, HangWithoutATimeLastsUntilAReset) {
  FaultyModel model(Faulty({{.kind = kCardHang, .nth = 2}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Faults(), "card_hang:2@0ns");
  EXPECT_EQ(model.Until(1min), "");
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  model.Reset(At(1min), 10us);
  EXPECT_EQ(model.state(), CardState::kFatalError);
  EXPECT_EQ(model.Until(2min), "1@60000005us# 2@60000005us# 3@60000005us#");
  EXPECT_EQ(model.state(), CardState::kUp);
  EXPECT_EQ(model.heartbeat_stopped(), std::nullopt);
  model.Copy(2min, 4);
  EXPECT_EQ(model.Until(3min), "4@120000010us");
}

TEST(ModelFaultsTest, FalseAlarmStopsTheHeartbeatAndNothingElse) {
  FaultyModel model(Faulty({{.kind = kHeartbeatFalseAlarm, .at = 5us, .time = 100us}}));
  for (RequestId id = 1; id <= 2; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(50us), "1@10us 2@20us");
  EXPECT_EQ(model.heartbeat_stopped(), At(5us));
  EXPECT_EQ(model.Until(105us), "");
  EXPECT_EQ(model.heartbeat_stopped(), std::nullopt);
}

// The second once made the heartbeat move.
TEST(ModelFaultsTest, AlarmOnAnAlarmLastsLongerAndBeginsNoLater) {
  FaultyModel model(Faulty({{.kind = kHeartbeatFalseAlarm, .every_nth = 1, .time = 100us}}));
  model.Copy(5us, 1);
  model.Copy(50us, 2);
  EXPECT_EQ(model.Until(120us), "1@15us 2@60us");
  EXPECT_EQ(model.heartbeat_stopped(), At(5us));
  EXPECT_EQ(model.Until(150us), "");
  EXPECT_EQ(model.heartbeat_stopped(), std::nullopt);
}

// Everything that the card holds, wherever, is answered in the order of its arrival.
TEST(ModelFaultsTest, ResetAnswersAllInTheOrderOfTheirSubmission) {
  FaultyModel model(Faulty({{.kind = kResponseDropped, .nth = 1},
                            {.kind = kResponseDelayed, .nth = 2, .time = 1h},
                            {.kind = kResponseReordered, .nth = 3, .time = 1h, .times = 9},
                            {.kind = kResponseRingStalled, .nth = 5, .time = 1h},
                            {.kind = kCardReset, .at = 45us, .time = 20us}}),
                    false, 2);
  for (RequestId id = 1; id <= 7; ++id) model.Copy(0us, id, id % 2);
  EXPECT_EQ(model.Until(40us), "4@40us");
  EXPECT_EQ(model.Until(46us), "");
  EXPECT_EQ(model.state(), CardState::kFatalError);
  model.Copy(46us, 8);  // on its way when the card went down
  EXPECT_EQ(model.Until(55us), "1@55us# 2@55us# 3@55us# 5@55us# 6@55us# 7@55us# 8@55us#");
  EXPECT_EQ(model.state(), CardState::kRestarting);
  model.Copy(60us, 9);
  EXPECT_EQ(model.Until(60us), "9@60us#");
  EXPECT_EQ(model.Until(65us), "");
  EXPECT_EQ(model.state(), CardState::kUp);
  EXPECT_EQ(model.pending(), 0u);
  model.Copy(70us, 10);
  EXPECT_EQ(model.Until(1ms), "10@80us");
  EXPECT_EQ(model.Until(5h), "");
}

TEST(ModelFaultsTest, ResetRaisesTheLineOfEachQueuePairThatItAnswers) {
  Profile profile = Faulty({{.kind = kCardReset, .at = 5us, .time = 0us}});
  profile.moderation = {.count = 100, .time = 10ms};
  FaultyModel model(profile, true, 3);
  model.Copy(0us, 1, 0);
  model.Copy(0us, 2, 2);
  EXPECT_EQ(model.Until(1s), "1@5us# 2@5us# !0@5us !2@5us");
}

TEST(ModelFaultsTest, ResetWithoutAPlanBringsItBackToo) {
  FaultyModel model(Faulty({}));
  EXPECT_FALSE(model.may_fail());
  model.Copy(0us, 1);
  model.Reset(At(2us), 10us);
  EXPECT_TRUE(model.may_fail());
  EXPECT_EQ(model.Until(1ms), "1@7us#");
  model.Copy(1ms, 2);
  EXPECT_EQ(model.Until(2ms), "2@1010us");
  EXPECT_EQ(model.pending(), 0u);
}

// The counts of the queue pairs once began at zero with the reset, and wrapped below it.
TEST(ModelFaultsTest, ResetWithoutAPlanKeepsTheCountsOfRequestsOnTheCard) {
  FaultyModel model(Faulty({}), false, 2);
  model.Copy(0us, 1, 0);
  model.Copy(0us, 2, 0);
  model.Copy(0us, 3, 1);
  EXPECT_EQ(model.Until(10us), "1@10us");
  model.Reset(At(12us), 10us);
  EXPECT_EQ(model.pending(0), 1u);
  EXPECT_EQ(model.pending(1), 1u);
  EXPECT_EQ(model.pending(), 2u);
  EXPECT_EQ(model.Until(1ms), "2@17us# 3@17us#");
  EXPECT_EQ(model.pending(0), 0u);
  EXPECT_EQ(model.pending(1), 0u);
  EXPECT_EQ(model.pending(), 0u);
  model.Copy(1ms, 4, 0);
  EXPECT_EQ(model.pending(0), 1u);
  EXPECT_EQ(model.pending(), 1u);
  EXPECT_EQ(model.Until(2ms), "4@1010us");
  EXPECT_EQ(model.pending(0), 0u);
}

// A request that completed before the reset is on the card no more, though the driver comes late.
TEST(ModelFaultsTest, ResetWithoutAPlanAnswersOnlyWhatIsStillOnTheCard) {
  FaultyModel model(Faulty({}));
  model.Copy(0us, 1);
  model.Copy(0us, 2);
  model.Reset(At(15us), 10us);
  EXPECT_EQ(model.pending(), 2u);  // Advance has given neither yet
  EXPECT_EQ(model.Until(1ms), "1@10us 2@20us#");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(ModelFaultsTest, LostCardAnswersWhatItHadAndNeverComesBack) {
  FaultyModel model(Faulty({{.kind = kCardLost, .nth = 2}}));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.state(), CardState::kLost);
  EXPECT_EQ(model.Until(1us), "1@0ns# 2@0ns# 3@0ns#");
  model.Reset(At(1us), 1us);
  model.Copy(1h, 4);
  EXPECT_EQ(model.Until(2h), "4@3600s#");
  EXPECT_EQ(model.state(), CardState::kLost);
  EXPECT_EQ(model.heartbeat_stopped(), At(0us));
}

TEST(ModelFaultsTest, CardThatIsDownIsStruckByNothingMore) {
  FaultyModel model(Faulty({{.kind = kCardReset, .at = 5us, .time = 20us},
                            {.kind = kCardLost, .at = 10us},
                            {.kind = kCompletionError, .every_nth = 1}}));
  model.Copy(6us, 1);
  EXPECT_EQ(model.Until(1ms), "1@15us#");
  EXPECT_EQ(model.Faults(), "card_reset@5us");
}

// A hung card once raised a line in its past.
TEST(ModelFaultsTest, CardThatHangsIsStruckByNothingMore) {
  FaultyModel model(Faulty({{.kind = kCardHang, .at = 5us, .time = 20us},
                            {.kind = kInterruptSpurious, .every_nth = 1}}),
                    true);
  model.Copy(10us, 1);
  EXPECT_EQ(model.Until(1ms), "1@35us !0@35us");
  EXPECT_EQ(model.Faults(), "card_hang@5us");
}

// --- interrupts ---

TEST(ModelFaultsTest, LostInterruptDoesNotRiseAndTheNextDoes) {
  FaultyModel model(Faulty({{.kind = kInterruptLost, .nth = 1}}), true);
  for (RequestId id = 1; id <= 2; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1ms), "1@10us 2@20us !0@20us");
  EXPECT_EQ(model.Faults(), "interrupt_lost@10us");
}

TEST(ModelFaultsTest, LateInterruptRisesLater) {
  FaultyModel model(Faulty({{.kind = kInterruptLate, .nth = 1, .time = 15us}}), true);
  for (RequestId id = 1; id <= 2; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1ms), "1@10us 2@20us !0@20us !0@25us");
}

TEST(ModelFaultsTest, SpuriousInterruptRisesWithoutACompletion) {
  FaultyModel model(Faulty({{.kind = kInterruptSpurious, .nth = 1}}), true);
  model.Copy(3us, 1);
  EXPECT_EQ(model.Faults(), "interrupt_spurious:1@3us");
  EXPECT_EQ(model.Until(1ms), "!0@3us 1@13us !0@13us");
}

TEST(ModelFaultsTest, DuplicatedInterruptRisesAgain) {
  FaultyModel model(Faulty({{.kind = kInterruptDuplicated, .nth = 1, .time = 4us, .times = 2}}),
                    true);
  model.Copy(0us, 1);
  EXPECT_EQ(model.Until(1ms), "1@10us !0@10us !0@14us !0@18us");
}

TEST(ModelFaultsTest, CoalescedInterruptRisesOnceForAllWhenItsTimeIsOver) {
  FaultyModel model(Faulty({{.kind = kInterruptCoalesced, .nth = 1, .time = 25us}}), true);
  for (RequestId id = 1; id <= 4; ++id) model.Copy(0us, id);
  EXPECT_EQ(model.Until(1ms), "1@10us 2@20us 3@30us !0@35us 4@40us !0@40us");
}

TEST(ModelFaultsTest, InterruptFaultsLookAtTheOperationBehindTheLine) {
  FaultyModel model(
      Faulty(
          {{.kind = kInterruptLost, .every_nth = 1, .operation = operations::OperationKind::kNull}},
          2),
      true);
  model.Copy(0us, 1);
  model.Null(0us, 2);
  EXPECT_EQ(model.Until(1ms), "2@0ns 1@10us !0@10us");
}

TEST(ModelFaultsTest, NoInterruptWhereThereAreNone) {
  FaultyModel model(Faulty({{.kind = kInterruptSpurious, .every_nth = 1},
                            {.kind = kInterruptDuplicated, .every_nth = 1}}));
  model.Copy(0us, 1);
  EXPECT_EQ(model.Until(1ms), "1@10us");
  EXPECT_EQ(model.Faults(), "interrupt_spurious:1@0ns");
}

// --- all of them ---

// Rules of all kinds at random, and a reset that the host asks for half way.
Profile RandomProfile(std::mt19937_64& random) {
  Profile profile{.service_units = static_cast<uint32_t>(1 + random() % 4),
                  .moderation = {.count = static_cast<uint32_t>(1 + random() % 4),
                                 .time = Duration(random() % 3 * 3'000)}};
  profile.transit.base = Duration(random() % 2 * 2'000);
  for (OperationCost& cost : profile.operations) {
    cost.service = {.distribution = LatencyModel::Distribution::kExponential,
                    .base = Duration(random() % 4'000)};
    if (random() % 3 == 0) cost.rate_per_s_max = 1e9 / static_cast<double>(1 + random() % 7'000);
  }
  for (uint64_t rules = 1 + random() % 6; rules > 0; --rules) {
    faults::FaultRule rule{.kind =
                               static_cast<faults::FaultKind>(random() % faults::kFaultKindCount)};
    const faults::FaultForm& form = faults::FormOf(rule.kind);
    switch (random() % 4) {
      case 0:
        rule.probability = 0.05;
        break;
      case 1:
        rule.every_nth = 1 + random() % 40;
        break;
      case 2:
        rule.nth = 1 + random() % 100;
        break;
      default:
        rule.at = Duration(random() % 500'000);
    }
    if (form.time) rule.time = Duration(random() % 60'000);
    if (form.times) rule.times = 1 + random() % 3;
    profile.faults.rules.push_back(rule);
  }
  return profile;
}

struct Played {
  std::string events;
  std::string faults;
  size_t completed = 0;
  size_t pending = 0;
};

// Advances at every event, or seldom.
Played Play(const Profile& profile, uint64_t seed, bool timely) {
  constexpr size_t kArrivals = 300;
  constexpr uint32_t kQueuePairs = 3;
  std::mt19937_64 arrivals(seed);
  std::mt19937_64 pace(seed + 1);
  CardModel model(profile, kQueuePairs, seed);
  std::vector<ModelEvent> events;
  std::vector<ModelFault> faults;
  Duration now{};
  const auto catch_up = [&] {
    while (timely && model.NextEvent().value_or(TimePoint::max()) <= At(now)) {
      const TimePoint next = *model.NextEvent();
      const size_t before = events.size();
      model.Advance(next, events);
      for (size_t e = before; e < events.size(); ++e) EXPECT_EQ(events[e].at, next);
    }
    if (!timely && pace() % 20 == 0) model.Advance(At(now), events);
  };
  for (size_t i = 0; i < kArrivals; ++i) {
    if (arrivals() % 3 != 0) now += Duration(arrivals() % 3'000);
    catch_up();
    if (i == kArrivals / 2) model.Reset(At(now), 5us);
    model.Arrive(
        At(now), i, static_cast<uint32_t>(arrivals() % kQueuePairs),
        static_cast<operations::OperationKind>(arrivals() % operations::kOperationKindCount), 0);
    model.TakeFaults(faults);
  }
  now += 1s;
  catch_up();
  // What was dropped or hangs is answered at last.
  model.Reset(At(now), 5us);
  now += 1s;
  catch_up();
  model.Advance(At(now), events);
  model.TakeFaults(faults);
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  Played played{.events = Line(events), .faults = Line(faults), .pending = model.pending()};
  std::vector<int> completions(kArrivals);
  TimePoint last{};
  for (const ModelEvent& event : events) {
    EXPECT_GE(event.at, last);
    last = event.at;
    if (event.kind != ModelEvent::Kind::kComplete) continue;
    EXPECT_EQ(++completions[event.request], 1) << "request " << event.request;
    ++played.completed;
  }
  return played;
}

TEST(ModelFaultsTest, WhateverGoesWrongEachRequestCompletesOnceAndALateDriverSeesTheSame) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const Profile profile = RandomProfile(random);
    ASSERT_TRUE(profile.Validate());
    const Played timely = Play(profile, seed, true);
    const Played late = Play(profile, seed, false);
    EXPECT_EQ(timely.completed, 300u);
    EXPECT_EQ(timely.pending, 0u);
    ASSERT_EQ(timely.events, late.events);
    ASSERT_EQ(timely.faults, late.faults);
    ASSERT_EQ(timely.events, Play(profile, seed, true).events);
  }
}

}  // namespace
}  // namespace hwsim::model
