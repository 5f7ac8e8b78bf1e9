// What a profile may say, and what is said of one that may not.
#include "hwsim/model/profile.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <ostream>
#include <string>

namespace hwsim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string MessageOf(const std::function<void(Profile&)>& change) {
  Profile profile;
  change(profile);
  const Expected<void> valid = profile.Validate();
  return valid ? "valid" : valid.error().message;
}

struct Bound {
  std::string name;
  std::function<void(Profile&)> change;
  std::string message;
};

void PrintTo(const Bound& bound, std::ostream* out) { *out << bound.message; }

class ProfileBoundTest : public testing::TestWithParam<Bound> {};

TEST_P(ProfileBoundTest, ValidateNamesWhatWasGivenAndWhatIsAllowed) {
  EXPECT_EQ(MessageOf(GetParam().change), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Bounds, ProfileBoundTest,
    testing::Values(
        Bound{"NoQueuePairs", [](Profile& p) { p.queue_pairs_max = 0; },
              "queue_pairs_max: 0 given; allowed: 1 to 1024"},
        Bound{"TooManyQueuePairs", [](Profile& p) { p.queue_pairs_max = 1025; },
              "queue_pairs_max: 1025 given; allowed: 1 to 1024"},
        Bound{"NoDepth", [](Profile& p) { p.depth = 0; }, "depth: 0 given; allowed: 1 to 32768"},
        Bound{"TooDeep", [](Profile& p) { p.depth = 32769; },
              "depth: 32769 given; allowed: 1 to 32768"},
        Bound{"NoEngines", [](Profile& p) { p.engines = 0; },
              "engines: 0 given; allowed: 1 to 65536"},
        Bound{"TooManyEngines", [](Profile& p) { p.engines = UINT32_MAX; },
              "engines: 4294967295 given; allowed: 1 to 65536"},
        Bound{"NoModerationCount", [](Profile& p) { p.moderation.count = 0; },
              "moderation.count: 0 given; allowed: 1 to 4096"},
        Bound{"TooLargeModerationCount", [](Profile& p) { p.moderation.count = 4097; },
              "moderation.count: 4097 given; allowed: 1 to 4096"},
        Bound{"NegativeModerationTime", [](Profile& p) { p.moderation.time = nanoseconds(-1); },
              "moderation.time (ns): -1 given; allowed: 0 to 10000000"},
        Bound{"TooLongModerationTime", [](Profile& p) { p.moderation.time = milliseconds(11); },
              "moderation.time (ns): 11000000 given; allowed: 0 to 10000000"},
        Bound{"NegativeTransit", [](Profile& p) { p.transit.base = nanoseconds(-5); },
              "transit.base (ns): -5 given; allowed: 0 to 3600000000000"},
        Bound{"TooLongTransit", [](Profile& p) { p.transit.base = hours(2); },
              "transit.base (ns): 7200000000000 given; allowed: 0 to 3600000000000"},
        Bound{"NegativeSpread",
              [](Profile& p) { p.cost(OperationKind::kCopy).service.spread = nanoseconds(-1); },
              "operation.copy.service.spread (ns): -1 given; allowed: 0 to 3600000000000"},
        Bound{"TooLargeSigma",
              [](Profile& p) { p.cost(OperationKind::kOther).service.sigma = 4.5; },
              "operation.other.service.sigma: 4.5 given; allowed: 0 to 4"},
        Bound{"SigmaThatIsNoNumber", [](Profile& p) { p.transit.sigma = kNan; },
              "transit.sigma: nan given; allowed: 0 to 4"},
        Bound{"TooMuchPerByte", [](Profile& p) { p.transit.ns_per_byte = 1e7; },
              "transit.ns_per_byte: 10000000 given; allowed: 0 to 1000000"},
        Bound{"PerByteThatIsNoNumber", [](Profile& p) { p.transit.ns_per_byte = kNan; },
              "transit.ns_per_byte: nan given; allowed: 0 to 1000000"},
        Bound{"NegativeRate", [](Profile& p) { p.cost(OperationKind::kNull).rate_per_s_max = -1; },
              "operation.null.rate_per_s_max: -1 given; allowed: 0 (no cap), or 0.001 to "
              "1000000000000"},
        // Once let through: its spacing did not fit a number of picoseconds.
        Bound{"TooSlowRate", [](Profile& p) { p.cost(OperationKind::kNull).rate_per_s_max = 1e-9; },
              "operation.null.rate_per_s_max: 0.000000001 given; allowed: 0 (no cap), or 0.001 to "
              "1000000000000"},
        Bound{"EndlessRate",
              [](Profile& p) { p.cost(OperationKind::kNull).rate_per_s_max = kInfinity; },
              "operation.null.rate_per_s_max: inf given; allowed: 0 (no cap), or 0.001 to "
              "1000000000000"},
        Bound{"RateThatIsNoNumber",
              [](Profile& p) { p.cost(OperationKind::kNull).rate_per_s_max = kNan; },
              "operation.null.rate_per_s_max: nan given; allowed: 0 (no cap), or 0.001 to "
              "1000000000000"},
        Bound{"FaultWithoutTrigger", [](Profile& p) { p.faults.rules = {{}}; },
              "fault 1: exactly one of probability and every_nth is to be set"},
        Bound{"FaultWithBothTriggers",
              [](Profile& p) {
                p.faults.rules = {{.every_nth = 1}, {.probability = 0.5, .every_nth = 3}};
              },
              "fault 2: exactly one of probability and every_nth is to be set"},
        Bound{"TooLargeProbability", [](Profile& p) { p.faults.rules = {{.probability = 1.5}}; },
              "fault 1.probability: 1.5 given; allowed: above 0, up to 1"},
        Bound{"NegativeProbability", [](Profile& p) { p.faults.rules = {{.probability = -0.5}}; },
              "fault 1.probability: -0.5 given; allowed: above 0, up to 1"},
        Bound{"ProbabilityThatIsNoNumber",
              [](Profile& p) { p.faults.rules = {{.probability = kNan}}; },
              "fault 1.probability: nan given; allowed: above 0, up to 1"},
        Bound{"FaultOfAQueuePairThatIsNotThere",
              [](Profile& p) {
                p.queue_pairs_max = 4;
                p.faults.rules = {{.every_nth = 1, .queue_pair = 4}};
              },
              "fault 1.queue_pair: 4 given; allowed: 0 to 3"}),
    [](const auto& info) { return info.param.name; });

TEST(ProfileTest, DefaultIsValid) {
  EXPECT_EQ(MessageOf([](Profile&) {}), "valid");
}

TEST(ProfileTest, LeastOfEverythingIsValid) {
  EXPECT_EQ(MessageOf([](Profile& p) {
              p.queue_pairs_max = 1;
              p.depth = 1;
              p.engines = 1;
              p.moderation = {.count = 1, .time = {}};
              p.cost(OperationKind::kNull).rate_per_s_max = kRatePerSecondMin;
              p.faults.rules = {{.probability = 1e-300}, {.every_nth = 1, .queue_pair = 0}};
            }),
            "valid");
}

TEST(ProfileTest, MostOfEverythingIsValid) {
  EXPECT_EQ(MessageOf([](Profile& p) {
              p.queue_pairs_max = 1024;
              p.depth = 32768;
              p.engines = 65536;
              p.moderation = {.count = 4096, .time = milliseconds(10)};
              p.transit = {.base = hours(1), .spread = hours(1), .sigma = 4, .ns_per_byte = 1e6};
              for (OperationCost& cost : p.operations) {
                cost = {.service = p.transit, .rate_per_s_max = kRatePerSecondMax};
              }
              p.faults.rules = {{.probability = 1}, {.every_nth = UINT64_MAX, .queue_pair = 1023}};
            }),
            "valid");
}

TEST(ProfileTest, FirstValueOutOfBoundsIsTheOneReported) {
  EXPECT_EQ(MessageOf([](Profile& p) {
              p.engines = 0;
              p.depth = 0;
              p.transit.sigma = 9;
            }),
            "depth: 0 given; allowed: 1 to 32768");
}

TEST(ProfileTest, CostIsThatOfItsKind) {
  Profile profile;
  profile.cost(OperationKind::kDeflate).rate_per_s_max = 5;
  EXPECT_EQ(profile.operations[static_cast<size_t>(OperationKind::kDeflate)].rate_per_s_max, 5);
  EXPECT_EQ(static_cast<const Profile&>(profile).cost(OperationKind::kDeflate).rate_per_s_max, 5);
}

}  // namespace
}  // namespace hwsim
