// What holds on random timelines without faults, and that they do not depend on the driver.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "hwsim/model/card_model.h"
#include "tests/hwsim/model/model_fixture.h"

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using Distribution = LatencyModel::Distribution;

struct Arrival {
  Duration at{};
  uint32_t queue_pair = 0;
  operations::OperationKind operation = operations::OperationKind::kNull;
  uint32_t size_bytes = 0;
};

// A profile in which latencies, rate caps, moderation and faults are random.
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

// Plays the arrivals and returns every event. `timely`: the driver advances the model at each
// event. Otherwise it advances the model at one arrival of twenty.
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

TEST(CardModelRandomTest, LateAdvanceEqualsTimelyAdvance) {
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

// Each request completes once, and not before it arrived. Completions come in the order of time and
// arrival. Each queue pair's services start in order, and starts keep to their rate caps. Each
// completion is signalled.
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

TEST(CardModelRandomTest, RandomTimelinesKeepTheRules) {
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

TEST(CardModelRandomTest, NoMoreRequestsAreServedAtOnceThanThereAreServiceUnits) {
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

TEST(CardModelRandomTest, SeedDecidesTheLog) {
  std::mt19937_64 random(99);
  Profile profile = RandomProfile(random);
  profile.transit = {.distribution = Distribution::kLognormal, .base = 5us, .sigma = 0.5};
  const auto arrivals = RandomArrivals(random, 200, 3);
  const std::string one = Log(Play(profile, arrivals, 3, 1, true, random));
  EXPECT_EQ(one, Log(Play(profile, arrivals, 3, 1, true, random)));
  EXPECT_NE(one, Log(Play(profile, arrivals, 3, 2, true, random)));
}

}  // namespace
}  // namespace hwsim::model
