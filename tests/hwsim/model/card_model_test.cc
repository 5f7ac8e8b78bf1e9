// Timelines of the model that are worked out by hand, and what holds for all of them.
#include "hwsim/model/card_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace hwsim {

bool operator==(const ModelEvent& a, const ModelEvent& b) {
  const auto key = [](const ModelEvent& event) {
    return std::tuple(event.kind, event.status, event.queue_pair, event.request,
                      event.service_start, event.at);
  };
  return key(a) == key(b);
}

void PrintTo(const ModelEvent& event, std::ostream* out) {
  *out << (event.kind == ModelEvent::Kind::kComplete ? "complete " : "interrupt ") << event.request
       << " of queue pair " << event.queue_pair << " at " << event.at.time_since_epoch().count()
       << " ns, from " << event.service_start.time_since_epoch().count() << " ns, status "
       << static_cast<int>(event.status);
}

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr OperationKind kKind = OperationKind::kSha256;
constexpr uint64_t kSeed = 5;

TimePoint At(int64_t ns) { return TimePoint(Duration(ns)); }
int64_t Ns(TimePoint time) { return time.time_since_epoch().count(); }

// `engines` engines, each request on one for 100 ns.
Profile Engines(uint32_t engines) {
  Profile profile;
  profile.engines = engines;
  profile.cost(kKind).service.base = nanoseconds(100);
  return profile;
}

// The model with its log, driven as a card drives it: at each event, and before each arrival.
class Driver {
 public:
  explicit Driver(const Profile& profile, uint32_t queue_pairs = 1, uint64_t seed = kSeed)
      : model_(profile, queue_pairs, seed) {}

  CardModel& model() { return model_; }
  const std::vector<ModelEvent>& log() const { return log_; }

  void Arrive(int64_t ns, RequestId request, uint32_t queue_pair = 0, OperationKind kind = kKind) {
    AdvanceTo(At(ns));
    model_.Arrive(At(ns), request, queue_pair, kind, 0);
  }
  void AdvanceTo(TimePoint to) {
    while (model_.NextEvent() && *model_.NextEvent() <= to) {
      model_.Advance(*model_.NextEvent(), log_);
    }
    model_.Advance(to, log_);
  }
  void Drain() {
    while (model_.NextEvent()) model_.Advance(*model_.NextEvent(), log_);
  }

  // Completions as "request@ns"; interrupts as "!queue_pair@ns".
  std::string Log() const {
    std::string text;
    for (const ModelEvent& event : log_) {
      text += text.empty() ? "" : " ";
      text += event.kind == ModelEvent::Kind::kComplete ? std::to_string(event.request)
                                                        : "!" + std::to_string(event.queue_pair);
      text += "@" + std::to_string(Ns(event.at));
    }
    return text;
  }

 private:
  CardModel model_;
  std::vector<ModelEvent> log_;
};

class QuietDriver : public Driver {
 public:
  explicit QuietDriver(const Profile& profile, uint32_t queue_pairs = 1, uint64_t seed = kSeed)
      : Driver(profile, queue_pairs, seed) {
    model().SetInterrupts(false);
  }
};

TEST(CardModelTest, NothingIsPendingAtFirst) {
  QuietDriver driver(Engines(1));
  EXPECT_EQ(driver.model().NextEvent(), std::nullopt);
  EXPECT_EQ(driver.model().pending(), 0u);
}

TEST(CardModelTest, IdealCardCompletesAtTheInstantOfArrival) {
  QuietDriver driver(Profile{});
  driver.Arrive(40, 1);
  EXPECT_EQ(driver.model().NextEvent(), At(40));
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@40");
}

TEST(CardModelTest, LoneRequestTakesServiceAndTransit) {
  Profile profile = Engines(1);
  profile.transit.base = nanoseconds(30);
  QuietDriver driver(profile);
  driver.Arrive(10, 7);
  driver.Drain();
  ASSERT_EQ(driver.Log(), "7@140");
  EXPECT_EQ(Ns(driver.log()[0].service_start), 10);
  EXPECT_EQ(driver.log()[0].status, CompletionStatus::kOk);
  EXPECT_EQ(driver.log()[0].queue_pair, 0u);
}

TEST(CardModelTest, EnginesWorkInParallelAndTheRestWaitsInOrder) {
  QuietDriver driver(Engines(2));
  for (RequestId request = 1; request <= 5; ++request) driver.Arrive(0, request);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@100 3@200 4@200 5@300");
  EXPECT_EQ(Ns(driver.log()[2].service_start), 100);
  EXPECT_EQ(Ns(driver.log()[4].service_start), 200);
}

TEST(CardModelTest, EngineThatIsFreeIsTakenAtOnce) {
  QuietDriver driver(Engines(2));
  driver.Arrive(0, 1);
  driver.Arrive(30, 2);
  driver.Arrive(40, 3);   // waits for 1's engine
  driver.Arrive(250, 4);  // finds both idle
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@130 3@200 4@350");
}

TEST(CardModelTest, TransitKeepsNoEngineBusy) {
  Profile profile = Engines(1);
  profile.transit.base = nanoseconds(1000);
  QuietDriver driver(profile);
  for (RequestId request = 1; request <= 3; ++request) driver.Arrive(0, request);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@1100 2@1200 3@1300");
}

TEST(CardModelTest, KindsCostWhatTheyCost) {
  Profile profile = Engines(1);
  profile.cost(OperationKind::kCopy).service.base = nanoseconds(7);
  QuietDriver driver(profile);
  driver.Arrive(0, 1, 0, OperationKind::kCopy);
  driver.Arrive(0, 2, 0, kKind);
  driver.Arrive(0, 3, 0, OperationKind::kNull);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@7 2@107 3@107");
}

TEST(CardModelTest, BytesAreChargedForServiceAndTransit) {
  Profile profile = Engines(1);
  profile.cost(kKind).service.ns_per_byte = 2;
  profile.transit = {.base = nanoseconds(5), .ns_per_byte = 1};
  QuietDriver driver(profile);
  driver.model().Arrive(At(0), 1, 0, kKind, 10);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@135");
}

TEST(CardModelTest, QueuePairsTakeTurns) {
  QuietDriver driver(Engines(1), 3);
  driver.Arrive(0, 10, 0);
  for (RequestId request = 11; request <= 13; ++request) driver.Arrive(0, request, 0);
  driver.Arrive(0, 20, 1);
  driver.Arrive(0, 30, 2);
  driver.Arrive(0, 21, 1);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "10@100 11@200 20@300 30@400 12@500 21@600 13@700");
}

TEST(CardModelTest, QueuePairThatComesBackGoesToTheEndOfTheLine) {
  QuietDriver driver(Engines(1), 2);
  driver.Arrive(0, 10, 0);
  driver.Arrive(0, 20, 1);
  driver.Arrive(0, 11, 0);
  driver.Arrive(150, 21, 1);  // while 20 is served: behind queue pair 0
  driver.Drain();
  EXPECT_EQ(driver.Log(), "10@100 20@200 11@300 21@400");
}

TEST(CardModelTest, TiesCompleteInTheOrderOfArrival) {
  Profile profile = Engines(4);
  profile.transit.base = nanoseconds(50);
  QuietDriver driver(profile, 2);
  driver.Arrive(0, 4, 1);
  driver.Arrive(0, 2, 0);
  driver.Arrive(0, 3, 1);
  driver.Arrive(0, 1, 0);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "4@150 2@150 3@150 1@150");
}

TEST(CardModelTest, RequestThatArrivesAsAnEngineFreesDoesNotOvertake) {
  QuietDriver driver(Engines(1));
  driver.Arrive(0, 1);
  driver.Arrive(50, 2);
  driver.Arrive(100, 3);  // the instant at which 1 ends and 2 begins
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@200 3@300");
}

TEST(CardModelTest, PendingCountsFromArrivalToCompletion) {
  Profile profile = Engines(1);
  profile.transit.base = nanoseconds(1000);
  QuietDriver driver(profile);
  driver.Arrive(0, 1);
  driver.Arrive(0, 2);
  EXPECT_EQ(driver.model().pending(), 2u);
  driver.AdvanceTo(At(1099));
  EXPECT_EQ(driver.model().pending(), 2u);
  driver.AdvanceTo(At(1100));
  EXPECT_EQ(driver.model().pending(), 1u);
  driver.Drain();
  EXPECT_EQ(driver.model().pending(), 0u);
  EXPECT_EQ(driver.model().NextEvent(), std::nullopt);
}

// --- the rate cap ---

Profile Capped(double rate_per_s_max) {
  Profile profile;
  profile.cost(kKind).rate_per_s_max = rate_per_s_max;
  return profile;
}

TEST(CardModelTest, RateCapSpacesStarts) {
  QuietDriver driver(Capped(1e6));
  for (RequestId request = 1; request <= 4; ++request) driver.Arrive(500, request);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@500 2@1500 3@2500 4@3500");
}

TEST(CardModelTest, RateCapGivesNoCreditForIdleTime) {
  QuietDriver driver(Capped(1e6));
  driver.Arrive(0, 1);
  driver.Arrive(10'000, 2);
  driver.Arrive(10'000, 3);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@0 2@10000 3@11000");
}

TEST(CardModelTest, RateCapIsOfItsKindAlone) {
  QuietDriver driver(Capped(1e6));
  driver.Arrive(0, 1);
  driver.Arrive(0, 2);
  driver.Arrive(0, 3, 0, OperationKind::kCopy);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@0 3@0 2@1000");
}

TEST(CardModelTest, RateCapHoldsOverAllQueuePairs) {
  QuietDriver driver(Capped(1e6), 2);
  driver.Arrive(0, 1, 0);
  driver.Arrive(0, 2, 1);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@0 2@1000");
}

TEST(CardModelTest, RateCapIsNeverExceededAndDoesNotDrift) {
  for (const double rate : {60'000.0, 6'000.0, 7.0, 3e8, 7e9, 999'999'937.0}) {
    SCOPED_TRACE("rate " + std::to_string(rate));
    QuietDriver driver(Capped(rate));
    constexpr int kCount = 60'000;
    for (int i = 0; i <= kCount; ++i) driver.Arrive(0, static_cast<RequestId>(i));
    driver.Drain();
    ASSERT_EQ(driver.log().size(), kCount + 1u);
    for (int i = 0; i <= kCount; i += 997) {
      const double exact = i * 1e9 / rate;
      // To the nanosecond, rounded up, however long it has gone on.
      ASSERT_GE(static_cast<double>(Ns(driver.log()[static_cast<size_t>(i)].at)), exact - 0.01);
      ASSERT_LE(static_cast<double>(Ns(driver.log()[static_cast<size_t>(i)].at)), exact + 1.01);
    }
  }
}

// Picoseconds since the clock's start once overflowed after 107 days.
TEST(CardModelTest, RateCapHoldsOnAMachineThatHasBeenUpForYears) {
  const int64_t years = std::chrono::nanoseconds(hours(24 * 365 * 30)).count();
  QuietDriver driver(Capped(1e6));
  driver.Arrive(years, 1);
  driver.Arrive(years, 2);
  driver.Drain();
  ASSERT_EQ(driver.log().size(), 2u);
  EXPECT_EQ(Ns(driver.log()[0].at), years);
  EXPECT_EQ(Ns(driver.log()[1].at), years + 1000);
}

TEST(CardModelTest, SlowestRateCapKeepsAllEnginesWaitingWithoutOverflow) {
  QuietDriver driver(Capped(kRatePerSecondMin));
  for (RequestId request = 0; request < 3; ++request) driver.Arrive(0, request);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "0@0 1@1000000000000 2@2000000000000");
}

// --- interrupts ---

Profile Moderated(uint32_t count, Duration time) {
  Profile profile = Engines(1);  // completions at 100, 200, 300, ...
  profile.moderation = {.count = count, .time = time};
  return profile;
}

void ArriveAtOnce(Driver& driver, int count) {
  for (int i = 1; i <= count; ++i) driver.Arrive(0, static_cast<RequestId>(i));
}

TEST(CardModelTest, UnmoderatedLineRisesAfterEachCompletion) {
  Driver driver(Moderated(1, {}));
  ArriveAtOnce(driver, 2);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 !0@100 2@200 !0@200");
}

TEST(CardModelTest, LineRisesAtTheCount) {
  Driver driver(Moderated(3, milliseconds(10)));
  ArriveAtOnce(driver, 6);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@200 3@300 !0@300 4@400 5@500 6@600 !0@600");
}

TEST(CardModelTest, LineRisesWhenTheTimeIsOver) {
  Driver driver(Moderated(4096, nanoseconds(250)));
  ArriveAtOnce(driver, 4);
  driver.Drain();
  // 250 ns from the first that is not signalled, not from the last.
  EXPECT_EQ(driver.Log(), "1@100 2@200 3@300 !0@350 4@400 !0@650");
}

TEST(CardModelTest, LineRisesAtWhicheverLimitComesFirst) {
  Driver driver(Moderated(2, nanoseconds(150)));
  ArriveAtOnce(driver, 3);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@200 !0@200 3@300 !0@450");
}

TEST(CardModelTest, CompletionAtTheInstantOfTheTimerIsSignalledWithIt) {
  Driver driver(Moderated(4096, nanoseconds(100)));
  ArriveAtOnce(driver, 2);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@200 !0@200");
}

TEST(CardModelTest, NoTimeMeansNoWaitWhateverTheCount) {
  Driver driver(Moderated(64, {}));
  ArriveAtOnce(driver, 2);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 !0@100 2@200 !0@200");
}

TEST(CardModelTest, EachQueuePairHasItsLine) {
  Driver driver(Moderated(2, nanoseconds(500)), 2);
  driver.Arrive(0, 1, 0);
  driver.Arrive(0, 2, 1);
  driver.Arrive(0, 3, 0);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@200 3@300 !0@300 !1@700");
}

TEST(CardModelTest, TimerThatTheCountOvertookIsNoEvent) {
  Driver driver(Moderated(2, nanoseconds(500)));
  ArriveAtOnce(driver, 2);
  driver.AdvanceTo(At(200));
  EXPECT_EQ(driver.Log(), "1@100 2@200 !0@200");
  EXPECT_EQ(driver.model().NextEvent(), std::nullopt);
}

TEST(CardModelTest, OvertakenTimerDoesNotCutTheNextPeriodShort) {
  Driver driver(Moderated(2, nanoseconds(500)));
  ArriveAtOnce(driver, 3);  // 1's timer would run out at 600, 3's does at 800
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@200 !0@200 3@300 !0@800");
}

TEST(CardModelTest, InterruptsThatAreOffAreNotRaised) {
  Driver driver(Moderated(1, {}));
  driver.model().SetInterrupts(false);
  ArriveAtOnce(driver, 2);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@200");
}

// A timer under way once raised the line although interrupts had been turned off.
TEST(CardModelTest, TurningInterruptsOffStopsTheTimers) {
  Driver driver(Moderated(64, nanoseconds(500)));
  ArriveAtOnce(driver, 1);
  driver.AdvanceTo(At(100));
  driver.model().SetInterrupts(false);
  EXPECT_EQ(driver.model().NextEvent(), std::nullopt);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100");
}

TEST(CardModelTest, InterruptsTurnedOnAgainCountAfresh) {
  Driver driver(Moderated(2, nanoseconds(500)));
  ArriveAtOnce(driver, 2);
  driver.AdvanceTo(At(100));
  driver.model().SetInterrupts(false);
  driver.model().SetInterrupts(true);
  driver.Drain();
  EXPECT_EQ(driver.Log(), "1@100 2@200 !0@700");
}

// --- faults ---

TEST(CardModelTest, CompletionErrorFailsTheRequestThatTheRuleNames) {
  Profile profile = Engines(1);
  profile.faults.rules = {{.kind = FaultKind::kCompletionError, .every_nth = 2}};
  QuietDriver driver(profile);
  for (RequestId request = 1; request <= 4; ++request) driver.Arrive(0, request);
  driver.Drain();
  ASSERT_EQ(driver.Log(), "1@100 2@200 3@300 4@400");  // and takes its time all the same
  for (const ModelEvent& event : driver.log()) {
    EXPECT_EQ(event.status,
              event.request % 2 == 0 ? CompletionStatus::kDeviceError : CompletionStatus::kOk);
  }
}

TEST(CardModelTest, FaultsOfTheSubmitSideAreNotTheModels) {
  Profile profile = Engines(1);
  profile.faults.rules = {{.kind = FaultKind::kSubmitRefused, .every_nth = 1}};
  QuietDriver driver(profile);
  driver.Arrive(0, 1);
  driver.Drain();
  EXPECT_EQ(driver.log()[0].status, CompletionStatus::kOk);
}

TEST(CardModelTest, FaultsDoNotShiftLatencies) {
  Profile plain = Engines(2);
  plain.cost(kKind).service.distribution = LatencyModel::Distribution::kExponential;
  Profile faulty = plain;
  faulty.faults.rules = {{.probability = 0.5}};
  QuietDriver one(plain);
  QuietDriver other(faulty);
  for (RequestId request = 0; request < 200; ++request) {
    one.Arrive(0, request);
    other.Arrive(0, request);
  }
  one.Drain();
  other.Drain();
  EXPECT_EQ(one.Log(), other.Log());
}

// --- what holds for all timelines ---

struct Arrival {
  TimePoint time;
  uint32_t queue_pair;
  OperationKind kind;
  uint32_t size_bytes;
};

struct Scenario {
  Profile profile;
  uint32_t queue_pairs;
  std::vector<Arrival> arrivals;
};

LatencyModel RandomLatency(std::mt19937& random) {
  return {.distribution = static_cast<LatencyModel::Distribution>(random() % 5),
          .base = nanoseconds(random() % 3 == 0 ? 0 : random() % 200),
          .spread = nanoseconds(random() % 100),
          .sigma = static_cast<double>(random() % 3),
          .ns_per_byte = random() % 2 == 0 ? 0 : 0.1};
}

Scenario RandomScenario(unsigned seed) {
  std::mt19937 random(seed);
  Scenario scenario;
  Profile& profile = scenario.profile;
  profile.engines = 1 + random() % 4;
  profile.moderation = {.count = static_cast<uint32_t>(1 + random() % 5),
                        .time = nanoseconds(random() % 2 == 0 ? 0 : random() % 400)};
  profile.transit = RandomLatency(random);
  for (OperationCost& cost : profile.operations) {
    cost = {.service = RandomLatency(random), .rate_per_s_max = random() % 2 == 0 ? 0 : 7e6};
  }
  if (random() % 2 == 0) profile.faults.rules = {{.probability = 0.2}, {.every_nth = 7}};
  scenario.queue_pairs = 1 + random() % 4;
  TimePoint time = At(random() % 1000);
  const unsigned gap = 1 + random() % 150;
  for (int i = 0; i < 300; ++i) {
    if (random() % 3 != 0) time += nanoseconds(random() % gap);  // often at the same instant
    if (random() % 50 == 0) time += nanoseconds(3000);           // sometimes all runs dry
    scenario.arrivals.push_back({time, static_cast<uint32_t>(random() % scenario.queue_pairs),
                                 static_cast<OperationKind>(random() % kOperationKindCount),
                                 static_cast<uint32_t>(random() % 500)});
  }
  return scenario;
}

enum class Pace { kTimely, kLate, kErratic };

std::vector<ModelEvent> Play(const Scenario& scenario, Pace pace, uint64_t seed) {
  CardModel model(scenario.profile, scenario.queue_pairs, seed);
  std::mt19937 random(static_cast<unsigned>(seed));
  std::vector<ModelEvent> log;
  TimePoint now{};
  const auto advance_to = [&](TimePoint to) {
    while (pace == Pace::kTimely && model.NextEvent() && *model.NextEvent() <= to) {
      model.Advance(*model.NextEvent(), log);
    }
    while (pace == Pace::kErratic && random() % 3 != 0 && now < to) {
      now += nanoseconds(random() % ((to - now).count() + 1));
      model.Advance(now, log);
    }
    now = to;
    model.Advance(now, log);
  };
  for (size_t i = 0; i < scenario.arrivals.size(); ++i) {
    const Arrival& arrival = scenario.arrivals[i];
    advance_to(arrival.time);
    model.Arrive(now, i, arrival.queue_pair, arrival.kind, arrival.size_bytes);
  }
  advance_to(now + hours(2));
  EXPECT_EQ(model.pending(), 0u);
  EXPECT_EQ(model.NextEvent(), std::nullopt);
  return log;
}

constexpr unsigned kScenarios = 300;

TEST(CardModelPropertyTest, LateAdvanceEqualsTimelyAdvance) {
  for (unsigned seed = 1; seed <= kScenarios; ++seed) {
    const Scenario scenario = RandomScenario(seed);
    const std::vector<ModelEvent> timely = Play(scenario, Pace::kTimely, seed);
    ASSERT_EQ(timely, Play(scenario, Pace::kLate, seed)) << "seed " << seed;
    ASSERT_EQ(timely, Play(scenario, Pace::kErratic, seed)) << "seed " << seed;
  }
}

TEST(CardModelPropertyTest, SameSeedGivesTheSameLogAndOtherSeedsGiveOthers) {
  Scenario scenario = RandomScenario(1);
  scenario.profile.transit = {.distribution = LatencyModel::Distribution::kExponential,
                              .base = nanoseconds(100)};
  EXPECT_EQ(Play(scenario, Pace::kTimely, 1), Play(scenario, Pace::kTimely, 1));
  EXPECT_NE(Play(scenario, Pace::kTimely, 1), Play(scenario, Pace::kTimely, 2));
}

TEST(CardModelPropertyTest, EachRequestCompletesOnceAndNotBeforeItArrived) {
  for (unsigned seed = 1; seed <= kScenarios; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Scenario scenario = RandomScenario(seed);
    const std::vector<ModelEvent> log = Play(scenario, Pace::kLate, seed);
    std::vector<int> completions(scenario.arrivals.size());
    TimePoint last{};
    for (const ModelEvent& event : log) {
      ASSERT_GE(event.at, last);
      last = event.at;
      if (event.kind != ModelEvent::Kind::kComplete) continue;
      ++completions.at(event.request);
      ASSERT_EQ(event.queue_pair, scenario.arrivals[event.request].queue_pair);
      ASSERT_GE(event.service_start, scenario.arrivals[event.request].time);
      ASSERT_GE(event.at, event.service_start);
    }
    ASSERT_EQ(std::ranges::count(completions, 1), std::ssize(completions));
  }
}

TEST(CardModelPropertyTest, NoMoreAreServedAtOnceThanThereAreEngines) {
  for (unsigned seed = 1; seed <= kScenarios; ++seed) {
    Scenario scenario = RandomScenario(seed);
    scenario.profile.transit = {};  // then a completion is the end of a service
    std::map<TimePoint, int> changes;
    for (const ModelEvent& event : Play(scenario, Pace::kLate, seed)) {
      if (event.kind != ModelEvent::Kind::kComplete || event.service_start == event.at) continue;
      ++changes[event.service_start];
      --changes[event.at];
    }
    int busy = 0;
    for (const auto& [time, change] : changes) {
      busy += change;
      ASSERT_LE(busy, static_cast<int>(scenario.profile.engines))
          << "at " << Ns(time) << " ns, seed " << seed;
    }
  }
}

TEST(CardModelPropertyTest, EachCompletionIsSignalledWithinTheTimeAndTheCount) {
  for (unsigned seed = 1; seed <= kScenarios; ++seed) {
    const Scenario scenario = RandomScenario(seed);
    const Moderation& moderation = scenario.profile.moderation;
    std::vector<std::vector<TimePoint>> unsignalled(scenario.queue_pairs);
    for (const ModelEvent& event : Play(scenario, Pace::kLate, seed)) {
      auto& waiting = unsignalled[event.queue_pair];
      if (event.kind == ModelEvent::Kind::kComplete) {
        waiting.push_back(event.at);
        continue;
      }
      ASSERT_FALSE(waiting.empty()) << "an interrupt for nothing, seed " << seed;
      ASSERT_LE(waiting.size(), moderation.count) << "seed " << seed;
      ASSERT_LE(event.at - waiting.front(), moderation.time) << "seed " << seed;
      // Not before a limit was reached either.
      ASSERT_TRUE(waiting.size() == moderation.count ||
                  event.at - waiting.front() == moderation.time)
          << "seed " << seed;
      waiting.clear();
    }
    for (const auto& waiting : unsignalled) ASSERT_TRUE(waiting.empty()) << "seed " << seed;
  }
}

TEST(CardModelDeathTest, TimeDoesNotRunBackwards) {
  Driver driver(Engines(1));
  driver.AdvanceTo(At(100));
  EXPECT_DEATH(driver.model().Arrive(At(99), 1, 0, kKind, 0), "does not run backwards");
}

}  // namespace
}  // namespace hwsim
