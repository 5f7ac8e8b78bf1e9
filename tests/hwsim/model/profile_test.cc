#include "hwsim/model/profile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;

std::string MistakeAfter(const std::function<void(Profile&)>& change) {
  Profile profile;
  change(profile);
  const Expected<void> checked = profile.Validate();
  return checked ? "" : checked.error().message;
}

TEST(ProfileTest, DefaultIsValid) { EXPECT_TRUE(Profile().Validate()); }

TEST(ProfileTest, LimitsThemselvesAreAllowed) {
  Profile profile{.queue_pairs_max = 1024,
                  .depth = 32768,
                  .service_units = 65536,
                  .moderation = {.count = 4096, .time = 10ms}};
  profile.transit = {.base = 1h, .spread = 1h, .sigma = 4, .ns_per_byte = 1e6};
  profile.cost(operations::OperationKind::kCopy).rate_per_s_max = 1e9;
  profile.cost(operations::OperationKind::kOther).rate_per_s_max = 0.001;
  profile.faults.rules = {{.probability = 1, .queue_pair = 1023}, {.every_nth = UINT64_MAX}};
  EXPECT_TRUE(profile.Validate());
}

TEST(ProfileTest, ValueOutOfBoundsIsNamedWithItsBounds) {
  const auto cost = [](Profile& p) -> OperationCost& {
    return p.cost(operations::OperationKind::kX25519);
  };
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.queue_pairs_max = 0; }),
            "queue_pairs_max: 0 given; allowed: 1 to 1024");
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.depth = 32769; }),
            "depth: 32769 given; allowed: 1 to 32768");
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.service_units = 65537; }),
            "engines: 65537 given; allowed: 1 to 65536");
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.moderation.count = 0; }),
            "moderation.count: 0 given; allowed: 1 to 4096");
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.moderation.time = 11ms; }),
            "moderation.time: 11ms given; allowed: 0ns to 10ms");
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.transit.base = -1us; }),
            "transit.base: -1us given; allowed: 0ns to 3600s");
  EXPECT_EQ(MistakeAfter([&](Profile& p) { cost(p).service.spread = 2h; }),
            "operation.x25519.service.spread: 7200s given; allowed: 0ns to 3600s");
  EXPECT_EQ(MistakeAfter([&](Profile& p) { cost(p).service.sigma = 4.5; }),
            "operation.x25519.service.sigma: 4.5 given; allowed: 0 to 4");
  EXPECT_EQ(MistakeAfter([&](Profile& p) { cost(p).service.ns_per_byte = std::nan(""); }),
            "operation.x25519.service.ns_per_byte: nan given; allowed: 0 to 1e+06");
  EXPECT_EQ(MistakeAfter([&](Profile& p) { cost(p).rate_per_s_max = 1e-9; }),
            "operation.x25519.rate_per_s_max: 1e-09 given; allowed: 0 (no cap), or 0.001 to 1e+09");
}

TEST(ProfileTest, FaultRuleHasOneTrigger) {
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.faults.rules = {{}}; }),
            "fault[0]: no trigger given; allowed: " + std::string(faults::kFaultTriggers));
  EXPECT_EQ(
      MistakeAfter([](Profile& p) { p.faults.rules = {{.probability = 0.5, .every_nth = 2}}; }),
      "fault[0]: several of probability, every_nth, nth and at given; allowed: one of them");
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.faults.rules = {{.probability = 1.5}}; }),
            "fault[0].probability: 1.5 given; allowed: above 0, up to 1");
  EXPECT_EQ(MistakeAfter([](Profile& p) {
              p.faults.rules = {{.every_nth = 1}, {.every_nth = 1, .queue_pair = 64}};
            }),
            "fault[1].queue_pair: 64 given; allowed: 0 to 63");
}

TEST(ProfileTest, ConditionIsTriggerEnough) {
  Profile profile;
  profile.faults.rules = {{.in_flight_min = 2}, {.from = 1ms}, {.until = 1ms}, {.at = 1ms}};
  EXPECT_TRUE(profile.Validate());
}

TEST(ProfileTest, FaultReadsItsParametersAndNoOthers) {
  const auto mistake = [](const faults::FaultRule& rule) {
    return MistakeAfter([&](Profile& p) { p.faults.rules = {rule}; });
  };
  EXPECT_EQ(mistake({.kind = faults::FaultKind::kRingFull, .nth = 1, .time = 1ms}),
            "fault[0].time: given; ring_full does not read it");
  EXPECT_EQ(mistake({.kind = faults::FaultKind::kCardHang, .nth = 1, .times = 2}),
            "fault[0].times: given; card_hang does not read it");
  EXPECT_EQ(mistake({.kind = faults::FaultKind::kWakeUp, .nth = 1, .factor = 2, .idle = 1ms}),
            "fault[0].factor: given; wake_up does not read it");
  EXPECT_EQ(mistake({.kind = faults::FaultKind::kThrottled, .nth = 1, .factor = 0.5}),
            "fault[0].factor: 0.5 given; allowed: 1 to 1e+06");
  EXPECT_EQ(mistake({.kind = faults::FaultKind::kThrottled, .nth = 1, .time = 2h}),
            "fault[0].time: 7200s given; allowed: 0ns to 3600s");
  EXPECT_EQ(mistake({.kind = faults::FaultKind::kRingFull, .nth = 1, .times = 0}),
            "fault[0].times: 0 given; allowed: 1 to 65536");
  EXPECT_EQ(mistake({.from = 2ms, .until = 2ms}),
            "fault[0].until: 2ms given; allowed: later than from");
  EXPECT_EQ(mistake({.at = -1ms}), "fault[0].at: -1ms given; allowed: 0ns to 3600s");
}

TEST(ProfileTest, EveryMistakeIsReported) {
  EXPECT_EQ(MistakeAfter([](Profile& p) { p.depth = p.service_units = 0; }),
            "depth: 0 given; allowed: 1 to 32768\nengines: 0 given; allowed: 1 to 65536");
}

TEST(FormatDurationTest, TakesTheLargestWholeUnit) {
  EXPECT_EQ(FormatDuration(0ns), "0ns");
  EXPECT_EQ(FormatDuration(1500ns), "1500ns");
  EXPECT_EQ(FormatDuration(570us), "570us");
  EXPECT_EQ(FormatDuration(10ms), "10ms");
  EXPECT_EQ(FormatDuration(1h), "3600s");
}

}  // namespace
}  // namespace hwsim::model
