// The profiles that ship, against the figures that their devices' makers publish.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hwsim/config/profile_toml.h"
#include "hwsim/model/card_model.h"

namespace hwsim::config {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kSeed = 11;

// Completions per second of virtual time. The callers keep the card busy all the time.
double SaturatedRate(const model::Profile& profile, operations::OperationKind kind,
                     uint32_t size_bytes) {
  model::CardModel model(profile, 1, kSeed);
  model.SetInterrupts(false);
  for (model::RequestId caller = 0; caller < 1024; ++caller) {
    model.Arrive(TimePoint{}, caller, 0, kind, size_bytes);
  }
  // What is in the pipe at first is not counted.
  const TimePoint begin{milliseconds(100)};
  const TimePoint end = begin + seconds(1);
  double completed = 0;
  std::vector<model::ModelEvent> events;
  while (*model.NextEvent() < end) {
    const TimePoint now = *model.NextEvent();
    events.clear();
    model.Advance(now, events);
    for (const model::ModelEvent& event : events) {
      if (event.at >= begin) ++completed;
      model.Arrive(now, event.request, 0, kind, size_bytes);
    }
  }
  return completed;
}

// The latency of one caller that submits its next request when the last one has completed.
Duration LoneCaller(const model::Profile& profile, operations::OperationKind kind) {
  model::CardModel model(profile, 1, kSeed);
  model.SetInterrupts(false);
  constexpr int kRequests = 100;
  TimePoint now{};
  std::vector<model::ModelEvent> events;
  for (int i = 0; i < kRequests; ++i) {
    model.Arrive(now, 1, 0, kind, 0);
    for (events.clear(); events.empty();) {
      now = *model.NextEvent();
      model.Advance(now, events);
    }
  }
  return now.time_since_epoch() / kRequests;
}

TEST(ShippedProfileTest, EachParsesAndValidates) {
  EXPECT_EQ(ShippedProfileNames().size(), 4u);
  for (const std::string_view name : ShippedProfileNames()) {
    const auto profile = ShippedProfile(name);
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_EQ(profile->name, name);
    EXPECT_TRUE(profile->Validate());
    EXPECT_TRUE(profile->faults.rules.empty());
    EXPECT_FALSE(profile->source.empty());
  }
}

TEST(ShippedProfileTest, UnknownNameListsTheKnownOnes) {
  EXPECT_EQ(ShippedProfile("qat").error().message,
            "'qat' given; profiles that ship: ideal, qat-4xxx, qat-c62x, dsa");
}

TEST(ShippedProfileTest, IdealTakesNoTime) {
  const model::Profile profile = ShippedProfile("ideal").value();
  for (size_t i = 0; i < operations::kOperationKindCount; ++i) {
    EXPECT_EQ(LoneCaller(profile, static_cast<operations::OperationKind>(i)), Duration::zero());
  }
}

TEST(ShippedProfileTest, DevicesTakeTimeForEachOperationOfTheirs) {
  for (const char* name : {"qat-4xxx", "qat-c62x", "dsa"}) {
    const model::Profile profile = ShippedProfile(name).value();
    for (size_t i = 0; i < operations::kOperationKindCount; ++i) {
      const auto kind = static_cast<operations::OperationKind>(i);
      if (kind == operations::OperationKind::kOther) continue;  // the caller's own to price
      EXPECT_GT(profile.cost(kind).service.Mean(0), Duration::zero())
          << name << ", " << operations::OperationName(kind);
    }
  }
}

TEST(ShippedProfileTest, Qat4xxxServes60000Rsa2048SignsPerSecond) {
  const model::Profile profile = ShippedProfile("qat-4xxx").value();
  EXPECT_NEAR(SaturatedRate(profile, operations::OperationKind::kRsa2048Sign, 256), 60'000, 600);
}

TEST(ShippedProfileTest, Qat4xxxServes6000Rsa4096SignsPerSecond) {
  const model::Profile profile = ShippedProfile("qat-4xxx").value();
  EXPECT_NEAR(SaturatedRate(profile, operations::OperationKind::kRsa4096Sign, 512), 6'000, 60);
}

TEST(ShippedProfileTest, LoneCallerOfAQat4xxxWaits570MicrosecondsForAnRsa2048Sign) {
  const model::Profile profile = ShippedProfile("qat-4xxx").value();
  EXPECT_EQ(LoneCaller(profile, operations::OperationKind::kRsa2048Sign), microseconds(570));
}

TEST(ShippedProfileTest, C62xServes100000Rsa2048SignsPerSecond) {
  const model::Profile profile = ShippedProfile("qat-c62x").value();
  EXPECT_NEAR(SaturatedRate(profile, operations::OperationKind::kRsa2048Sign, 256), 100'000, 1'000);
  EXPECT_EQ(LoneCaller(profile, operations::OperationKind::kRsa2048Sign), microseconds(570));
}

TEST(ShippedProfileTest, DsaCopies31GigabytesPerSecondIn16KibPieces) {
  const model::Profile profile = ShippedProfile("dsa").value();
  const double bytes_per_s =
      SaturatedRate(profile, operations::OperationKind::kCopy, 16384) * 16384;
  EXPECT_NEAR(bytes_per_s, 31e9, 0.02 * 31e9);
}

}  // namespace
}  // namespace hwsim::config
