// What holds whatever goes wrong: rules of all kinds at random.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "hwsim/model/card_model.h"
#include "tests/hwsim/model/model_fixture.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

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
  Played played{.events = Log(events), .faults = Log(faults), .pending = model.pending()};
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

TEST(ModelFaultsRandomTest, WhateverGoesWrongEachRequestCompletesOnceAndALateDriverSeesTheSame) {
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
