#include "hwsim/model/card_model.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <new>
#include <random>
#include <string>

// Counts allocations, for the test of the steady state.
namespace {
std::atomic<uint64_t> allocations{0};
}
[[gnu::noinline]] void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
// Not inline: g++ would see malloc in one and not in the other, and warn.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using Distribution = LatencyModel::Distribution;

TimePoint At(Duration since_epoch) { return TimePoint(since_epoch); }

// One word an event: "1@570us" is request 1, "!0@10us" queue pair 0's line, "1@5us?" an error.
std::string Word(const ModelEvent& event) {
  const std::string at = "@" + FormatDuration(event.at.time_since_epoch());
  if (event.kind == ModelEvent::Kind::kInterrupt)
    return "!" + std::to_string(event.queue_pair) + at;
  return std::to_string(event.request) + at +
         (event.status == operations::CompletionStatus::kOk ? "" : "?");
}

std::string Log(const std::vector<ModelEvent>& events) {
  std::string log;
  for (const ModelEvent& event : events) log += (log.empty() ? "" : " ") + Word(event);
  return log;
}

// What happens up to `until`, with one Advance.
std::string LogUntil(CardModel& model, Duration until) {
  std::vector<ModelEvent> events;
  model.Advance(At(until), events);
  return Log(events);
}

// kCopy takes `service` on a unit, and `transit`.
Profile Simple(uint32_t service_units, Duration service = 10us, Duration transit = 0us) {
  Profile profile{.service_units = service_units};
  profile.cost(operations::OperationKind::kCopy).service.base = service;
  profile.transit.base = transit;
  return profile;
}

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

TEST(CardModel, IdleCardHasNoEvents) {
  QuietModel model(Simple(1));
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  EXPECT_EQ(LogUntil(model, 1s), "");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(CardModel, IdealCardCompletesAtOnceInOrder) {
  QuietModel model(Profile{}, 2);
  for (RequestId id = 1; id <= 4; ++id) model.Copy(5us, id, id % 2);
  EXPECT_EQ(model.pending(), 4u);
  EXPECT_EQ(model.NextEvent(), At(5us));
  EXPECT_EQ(LogUntil(model, 5us), "1@5us 2@5us 3@5us 4@5us");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(CardModel, ServiceUnitsServeInParallel) {
  QuietModel model(Simple(2));
  for (RequestId id = 1; id <= 5; ++id) model.Copy(0us, id);
  EXPECT_EQ(LogUntil(model, 1ms), "1@10us 2@10us 3@20us 4@20us 5@30us");
}

TEST(CardModel, ServiceStartIsWhenAServiceUnitStartedIt) {
  QuietModel model(Simple(1, 10us, 100us));
  model.Copy(0us, 1);
  model.Copy(1us, 2);
  std::vector<ModelEvent> events;
  model.Advance(At(1ms), events);
  ASSERT_EQ(Log(events), "1@110us 2@120us");
  EXPECT_EQ(events[0].service_start, At(0us));
  EXPECT_EQ(events[1].service_start, At(10us));
}

TEST(CardModel, TransitOccupiesNoServiceUnit) {
  QuietModel model(Simple(1, 10us, 560us));
  for (RequestId id = 1; id <= 3; ++id) model.Copy(0us, id);
  EXPECT_EQ(LogUntil(model, 1ms), "1@570us 2@580us 3@590us");
}

TEST(CardModel, UnitThatBecomesFreeServesTheNextAtThatInstant) {
  QuietModel model(Simple(1));
  model.Copy(0us, 1);
  model.Copy(3us, 2);
  EXPECT_EQ(LogUntil(model, 10us), "1@10us");
  EXPECT_EQ(LogUntil(model, 19us), "");
  EXPECT_EQ(LogUntil(model, 20us), "2@20us");
}

TEST(CardModel, ArrivalFindsUnitsAsTheyAreThenHoweverLateAdvanceIsCalled) {
  QuietModel model(Simple(1));
  model.Copy(0us, 1);
  model.Copy(0us, 2);
  model.Copy(25us, 3);  // no Advance since: 2 has the unit from 10 us to 20 us
  EXPECT_EQ(LogUntil(model, 1ms), "1@10us 2@20us 3@35us");
}

TEST(CardModel, QueuePairsTakeTurns) {
  QuietModel model(Simple(1), 3);
  model.Copy(0us, 10, 0);
  for (RequestId id : {11, 12, 13}) model.Copy(0us, id, 0);
  for (RequestId id : {21, 22}) model.Copy(0us, id, 1);
  model.Copy(0us, 31, 2);
  EXPECT_EQ(LogUntil(model, 1ms), "10@10us 11@20us 21@30us 31@40us 12@50us 22@60us 13@70us");
}

TEST(CardModel, QueuePairServesInOrderOfArrival) {
  QuietModel model(Simple(3), 1);
  for (RequestId id = 1; id <= 6; ++id) model.Copy(Duration(id), id);
  EXPECT_EQ(LogUntil(model, 1ms), "1@10001ns 2@10002ns 3@10003ns 4@20001ns 5@20002ns 6@20003ns");
}

TEST(CardModel, TiesCompleteInOrderOfArrival) {
  Profile profile = Simple(2);
  profile.cost(operations::OperationKind::kSha256).service.base = 5us;
  QuietModel model(profile);
  model.Arrive(At(0us), 1, 0, operations::OperationKind::kCopy, 0);
  model.Arrive(At(5us), 2, 0, operations::OperationKind::kSha256, 0);
  EXPECT_EQ(LogUntil(model, 1ms), "1@10us 2@10us");
  // Started in turns 1, 3, 2, and all three due at once.
  QuietModel turns(Simple(3), 2);
  for (RequestId id : {7, 8, 9}) turns.Copy(2ms, id, 0);
  turns.Copy(2ms, 1, 0);
  turns.Copy(2ms, 2, 0);
  turns.Copy(2ms, 3, 1);
  EXPECT_EQ(LogUntil(turns, 3ms), "7@2010us 8@2010us 9@2010us 1@2020us 2@2020us 3@2020us");
}

TEST(CardModel, LongerRequestsAreOvertaken) {
  QuietModel model(Simple(2));
  model.Copy(0us, 1);
  model.Arrive(At(0us), 2, 0, operations::OperationKind::kNull, 0);
  EXPECT_EQ(LogUntil(model, 1ms), "2@0ns 1@10us");
}

TEST(CardModel, SizeAddsToServiceAndTransit) {
  Profile profile = Simple(1);
  profile.cost(operations::OperationKind::kCopy).service.ns_per_byte = 0.5;
  profile.transit.ns_per_byte = 1;
  QuietModel model(profile);
  model.Arrive(At(0us), 1, 0, operations::OperationKind::kCopy, 1000);
  EXPECT_EQ(LogUntil(model, 1ms), "1@11500ns");
}

TEST(CardModel, RateCapSpacesStarts) {
  Profile profile = Simple(8, 0us);
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 100'000;
  QuietModel model(profile, 2);
  for (RequestId id = 1; id <= 4; ++id) model.Copy(0us, id, id % 2);
  model.Arrive(At(0us), 9, 0, operations::OperationKind::kNull,
               0);  // behind 2 and 4 in its queue pair
  EXPECT_EQ(LogUntil(model, 1ms), "1@0ns 2@10us 3@20us 4@30us 9@30us");
}

TEST(CardModel, IdleTimeOfARateCapIsNotSavedUp) {
  Profile profile = Simple(8, 0us);
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 100'000;
  QuietModel model(profile);
  model.Copy(0us, 1);
  model.Copy(1ms, 2);
  model.Copy(1ms, 3);
  EXPECT_EQ(LogUntil(model, 2ms), "1@0ns 2@1ms 3@1010us");
}

TEST(CardModel, RateCapDoesNotDrift) {
  Profile profile{.service_units = 4};
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 60'000;  // 16,666.67 ns apart
  QuietModel model(profile);
  for (RequestId id = 0; id <= 200'000; ++id) model.Copy(0us, id);
  std::vector<ModelEvent> events;
  model.Advance(At(20s), events);
  ASSERT_EQ(events.size(), 200'001u);
  for (const ModelEvent& event : events) {
    ASSERT_NEAR(static_cast<double>(event.at.time_since_epoch().count()),
                static_cast<double>(event.request) * 1e9 / 60'000, 1);
  }
}

TEST(CardModel, RequestDelayedByACapOccupiesNoUnitAndDoesNotBlockOthers) {
  Profile profile = Simple(1, 0us);
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 100'000;
  profile.cost(operations::OperationKind::kSha256).service.base = 4us;
  QuietModel model(profile, 2);
  for (RequestId id : {1, 2, 3}) model.Copy(0us, id, 0);
  for (RequestId id : {7, 8, 9})
    model.Arrive(At(1us), id, 1, operations::OperationKind::kSha256, 0);
  // 2 may start at 10 us, but 9 has the unit until 13 us; 3 starts 10 us after 2.
  EXPECT_EQ(LogUntil(model, 1ms), "1@0ns 7@5us 8@9us 2@13us 9@13us 3@23us");
}

TEST(CardModel, CapsOfTwoOperationsAreIndependent) {
  Profile profile = Simple(4, 0us);
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 100'000;
  profile.cost(operations::OperationKind::kSha256).rate_per_s_max = 250'000;
  QuietModel model(profile, 2);
  for (RequestId id : {1, 2, 3}) model.Copy(0us, id, 0);
  for (RequestId id : {7, 8, 9})
    model.Arrive(At(0us), id, 1, operations::OperationKind::kSha256, 0);
  EXPECT_EQ(LogUntil(model, 1ms), "1@0ns 7@0ns 8@4us 9@8us 2@10us 3@20us");
}

CardModel Moderated(uint32_t count, Duration time, uint32_t queue_pairs = 1) {
  return CardModel(Profile{.moderation = {.count = count, .time = time}}, queue_pairs, 1);
}
void Null(CardModel& model, Duration at, RequestId id, uint32_t queue_pair = 0) {
  model.Arrive(At(at), id, queue_pair, operations::OperationKind::kNull, 0);
}

TEST(CardModel, UnmoderatedLineRisesForEachCompletion) {
  CardModel model = Moderated(1, 0us);
  Null(model, 1us, 1);
  Null(model, 1us, 2);
  EXPECT_EQ(LogUntil(model, 1ms), "1@1us !0@1us 2@1us !0@1us");
}

TEST(CardModel, LineRisesAtTheCount) {
  CardModel model = Moderated(3, 1ms);
  for (RequestId id = 1; id <= 4; ++id) Null(model, Duration(id * 1000), id);
  EXPECT_EQ(LogUntil(model, 500us), "1@1us 2@2us 3@3us !0@3us 4@4us");
  EXPECT_EQ(model.NextEvent(), At(1004us));
  EXPECT_EQ(LogUntil(model, 2ms), "!0@1004us");
  EXPECT_EQ(model.NextEvent(), std::nullopt);
}

TEST(CardModel, LineRisesAtTheTime) {
  CardModel model = Moderated(100, 10us);
  Null(model, 1us, 1);
  Null(model, 7us, 2);
  Null(model, 12us, 3);
  EXPECT_EQ(LogUntil(model, 1ms), "1@1us 2@7us !0@11us 3@12us !0@22us");
}

TEST(CardModel, CompletionAtTheTimersEndIsSignalledWithIt) {
  CardModel model = Moderated(100, 10us);
  Null(model, 1us, 1);
  Null(model, 11us, 2);
  EXPECT_EQ(LogUntil(model, 1ms), "1@1us 2@11us !0@11us");
}

TEST(CardModel, TimeOfZeroDoesNotWaitForTheCount) {
  CardModel model = Moderated(100, 0us);
  Null(model, 1us, 1);
  EXPECT_EQ(LogUntil(model, 1us), "1@1us !0@1us");
}

TEST(CardModel, QueuePairsAreModeratedApart) {
  CardModel model = Moderated(2, 10us, 3);
  Null(model, 1us, 1, 0);
  Null(model, 2us, 2, 1);
  Null(model, 3us, 3, 2);
  Null(model, 4us, 4, 1);  // stops the timer in the middle of the list
  EXPECT_EQ(LogUntil(model, 1ms), "1@1us 2@2us 3@3us 4@4us !1@4us !0@11us !2@13us");
}

TEST(CardModel, ModerationDelaysNoCompletion) {
  CardModel model = Moderated(4096, 10ms);
  Null(model, 1us, 1);
  EXPECT_EQ(model.NextEvent(), At(1us));
  EXPECT_EQ(LogUntil(model, 1us), "1@1us");
  EXPECT_EQ(model.pending(), 0u);
}

TEST(CardModel, InterruptsTurnedOffLeaveNoTimerBehind) {
  CardModel model = Moderated(2, 10us, 2);
  Null(model, 1us, 1, 0);
  Null(model, 1us, 2, 1);
  EXPECT_EQ(LogUntil(model, 1us), "1@1us 2@1us");
  model.SetInterrupts(false);
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  Null(model, 2us, 3);
  EXPECT_EQ(LogUntil(model, 1ms), "3@2us");
  model.SetInterrupts(true);
  Null(model, 2ms, 4);
  EXPECT_EQ(LogUntil(model, 3ms), "4@2ms !0@2010us");
}

TEST(CardModel, CompletionErrorTakesAsLongAsSuccess) {
  Profile profile = Simple(1);
  profile.faults.rules = {{.kind = faults::FaultKind::kCompletionError, .every_nth = 2},
                          {.kind = faults::FaultKind::kSubmitRefused, .every_nth = 1}};
  QuietModel model(profile);
  for (RequestId id = 1; id <= 4; ++id) model.Copy(0us, id);
  EXPECT_EQ(LogUntil(model, 1ms), "1@10us 2@20us? 3@30us 4@40us?");
}

// A card on which all that is random or capped is so, and arrivals for it.
struct Arrival {
  Duration at{};
  uint32_t queue_pair = 0;
  operations::OperationKind operation = operations::OperationKind::kNull;
  uint32_t size_bytes = 0;
};

Profile RandomProfile(std::mt19937_64& random) {
  const auto latency = [&](int64_t base_ns) {
    return LatencyModel{.distribution = static_cast<Distribution>(random() % 5),
                        .base = Duration(random() % (base_ns + 1)),
                        .spread = Duration(random() % (base_ns + 1)),
                        .sigma = 0.5,
                        .ns_per_byte = random() % 3 == 0 ? 0.3 : 0};
  };
  Profile profile{.service_units = static_cast<uint32_t>(1 + random() % 6),
                  .moderation = {.count = static_cast<uint32_t>(1 + random() % 4),
                                 .time = Duration(random() % 3 * 3'000)}};
  profile.transit = latency(random() % 2 * 5'000);
  for (OperationCost& cost : profile.operations) {
    cost.service = latency(random() % 3 == 0 ? 0 : 4'000);
    if (random() % 3 == 0) cost.rate_per_s_max = 1e9 / static_cast<double>(1 + random() % 7'000);
  }
  if (random() % 2 == 0) profile.faults.rules = {{.probability = 0.1}};
  return profile;
}

std::vector<Arrival> RandomArrivals(std::mt19937_64& random, size_t count, uint32_t queue_pairs) {
  std::vector<Arrival> arrivals;
  Duration at{};
  for (size_t i = 0; i < count; ++i) {
    if (random() % 3 != 0) at += Duration(random() % 3'000);
    arrivals.push_back({.at = at,
                        .queue_pair = static_cast<uint32_t>(random() % queue_pairs),
                        .operation = static_cast<operations::OperationKind>(
                            random() % operations::kOperationKindCount),
                        .size_bytes = static_cast<uint32_t>(random() % 5'000)});
  }
  return arrivals;
}

// Advances at every event, or only with probability `advance_rarely` at an arrival.
std::vector<ModelEvent> Play(const Profile& profile, const std::vector<Arrival>& arrivals,
                             uint32_t queue_pairs, uint64_t seed, bool timely,
                             std::mt19937_64& random) {
  CardModel model(profile, queue_pairs, seed);
  std::vector<ModelEvent> events;
  for (size_t i = 0; i < arrivals.size(); ++i) {
    const TimePoint now = At(arrivals[i].at);
    while (timely && model.NextEvent().value_or(TimePoint::max()) <= now) {
      const TimePoint next = *model.NextEvent();
      const size_t before = events.size();
      model.Advance(next, events);
      for (size_t e = before; e < events.size(); ++e) EXPECT_EQ(events[e].at, next);
    }
    if (!timely && random() % 20 == 0) model.Advance(now, events);
    model.Arrive(now, i, arrivals[i].queue_pair, arrivals[i].operation, arrivals[i].size_bytes);
  }
  while (timely && model.NextEvent()) model.Advance(*model.NextEvent(), events);
  model.Advance(At(1h), events);
  EXPECT_EQ(model.pending(), 0u);
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  return events;
}

TEST(CardModel, LateAdvanceEqualsTimelyAdvance) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const uint32_t queue_pairs = 1 + random() % 5;
    const Profile profile = RandomProfile(random);
    ASSERT_TRUE(profile.Validate());
    const auto arrivals = RandomArrivals(random, 300, queue_pairs);
    const auto timely = Play(profile, arrivals, queue_pairs, seed, true, random);
    const auto late = Play(profile, arrivals, queue_pairs, seed, false, random);
    ASSERT_EQ(Log(timely), Log(late));
  }
}

// Each once, none before it arrived, in order of time and arrival; no more on service units than
// there are; starts within their caps; each queue pair's starts in order; every completion
// signalled.
void CheckInvariants(const Profile& profile, const std::vector<Arrival>& arrivals,
                     const std::vector<ModelEvent>& events) {
  std::vector<const ModelEvent*> of(arrivals.size());
  std::map<uint32_t, uint32_t> unsignalled;
  std::pair<TimePoint, RequestId> last{};
  TimePoint last_at{};
  for (const ModelEvent& event : events) {
    ASSERT_GE(event.at, last_at);
    last_at = event.at;
    if (event.kind == ModelEvent::Kind::kInterrupt) {
      ASSERT_GT(unsignalled[event.queue_pair], 0u);
      unsignalled[event.queue_pair] = 0;
      continue;
    }
    ASSERT_LT(++unsignalled[event.queue_pair], profile.moderation.count + 1);
    ASSERT_EQ(of[event.request], nullptr);
    of[event.request] = &event;
    ASSERT_GE(event.service_start, At(arrivals[event.request].at));
    const std::pair<TimePoint, RequestId> here{event.at, event.request};
    ASSERT_LT(last, here.second == 0 && last.second == 0 ? std::pair(TimePoint::max(), RequestId{})
                                                         : here);
    last = here;
  }
  for (const auto& [queue_pair, count] : unsignalled) ASSERT_EQ(count, 0u);
  std::map<uint32_t, TimePoint> queue_pair_start;
  std::map<operations::OperationKind, std::vector<TimePoint>> starts;
  for (size_t i = 0; i < arrivals.size(); ++i) {
    ASSERT_NE(of[i], nullptr);
    ASSERT_GE(of[i]->service_start, queue_pair_start[arrivals[i].queue_pair]);
    queue_pair_start[arrivals[i].queue_pair] = of[i]->service_start;
    starts[arrivals[i].operation].push_back(of[i]->service_start);
  }
  for (auto& [operation, times] : starts) {
    const double rate = profile.cost(operation).rate_per_s_max;
    if (rate == 0) continue;
    std::sort(times.begin(), times.end());
    for (size_t i = 1; i < times.size(); ++i) {
      ASSERT_GE(static_cast<double>((times[i] - times[i - 1]).count()), 1e9 / rate - 1);
    }
  }
}

TEST(CardModel, RandomTimelinesKeepTheRules) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const uint32_t queue_pairs = 1 + random() % 5;
    const Profile profile = RandomProfile(random);
    const auto arrivals = RandomArrivals(random, 300, queue_pairs);
    const auto events = Play(profile, arrivals, queue_pairs, seed, false, random);
    CheckInvariants(profile, arrivals, events);
    if (HasFatalFailure()) return;
  }
}

TEST(CardModel, NoMoreRequestsAreServedAtOnceThanThereAreServiceUnits) {
  Profile profile = Simple(3);
  profile.cost(operations::OperationKind::kCopy).service = {
      .distribution = Distribution::kExponential, .base = 10us};
  QuietModel model(profile, 4);
  for (RequestId id = 0; id < 3'000; ++id) model.Copy(Duration(id * 1'000), id, id % 4);
  std::vector<ModelEvent> events;
  model.Advance(At(1h), events);
  std::map<TimePoint, int> steps;
  for (const ModelEvent& event : events) {
    ++steps[event.service_start];
    --steps[event.at];
  }
  int served = 0, most = 0;
  for (const auto& [at, step] : steps) most = std::max(most, served += step);
  EXPECT_EQ(most, 3);
}

TEST(CardModel, SeedDecidesTheLog) {
  std::mt19937_64 random(99);
  Profile profile = RandomProfile(random);
  profile.transit = {.distribution = Distribution::kLognormal, .base = 5us, .sigma = 0.5};
  const auto arrivals = RandomArrivals(random, 200, 3);
  const std::string one = Log(Play(profile, arrivals, 3, 1, true, random));
  EXPECT_EQ(one, Log(Play(profile, arrivals, 3, 1, true, random)));
  EXPECT_NE(one, Log(Play(profile, arrivals, 3, 2, true, random)));
}

TEST(CardModel, SteadyStateAllocatesNothing) {
  Profile profile{.service_units = 8, .moderation = {.count = 4, .time = 10us}};
  profile.cost(operations::OperationKind::kCopy) = {
      .service = {.distribution = Distribution::kMinExponential, .base = 5us, .spread = 5us},
      .rate_per_s_max = 700'000};
  profile.transit = {.distribution = Distribution::kLognormal, .base = 50us, .sigma = 0.5};
  CardModel model(profile, 4, 1);
  std::vector<ModelEvent> events;
  events.reserve(10'000);
  TimePoint now{};
  const auto turn_over = [&](uint64_t requests) {
    for (uint64_t done = 0; done < requests;) {
      now = std::max(now, *model.NextEvent());
      events.clear();
      model.Advance(now, events);
      for (const ModelEvent& event : events) {
        if (event.kind != ModelEvent::Kind::kComplete) continue;
        ++done;
        model.Arrive(now, done, event.queue_pair, operations::OperationKind::kCopy, 0);
      }
    }
  };
  for (RequestId id = 0; id < 1'000; ++id)
    model.Arrive(now, id, id % 4, operations::OperationKind::kCopy, 0);
  turn_over(200'000);
  const uint64_t before = allocations.load();
  turn_over(100'000);
  EXPECT_EQ(allocations.load(), before);
}

using CardModelDeathTest = ::testing::Test;

TEST(CardModelDeathTest, TimeDoesNotRunBackwards) {
  QuietModel model(Simple(1));
  model.Copy(5us, 1);
  EXPECT_DEATH(model.Copy(4us, 2), "does not run backwards");
  EXPECT_DEATH(LogUntil(model, 4us), "does not run backwards");
}

TEST(CardModelDeathTest, QueuePairsAreWithinTheProfile) {
  EXPECT_DEATH(QuietModel(Profile{.queue_pairs_max = 2}, 3), "queue pairs");
  QuietModel model(Simple(1), 2);
  EXPECT_DEATH(model.Copy(0us, 1, 2), "no such queue pair");
}

}  // namespace
}  // namespace hwsim::model
