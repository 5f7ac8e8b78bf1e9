#include "hwsim/card/result_damage.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstddef>
#include <span>

namespace hwsim {
namespace {

using enum FaultKind;

class ResultDamageTest : public testing::Test {
 protected:
  ResultDamageTest() { request_.output = output_; }
  int FlippedBits() const {
    int flipped = 0;
    for (const std::byte byte : output_) flipped += std::popcount(std::to_integer<uint8_t>(byte));
    return flipped;
  }

  Request request_;
  std::array<std::byte, 16> output_{};
  ResultDamage damage_;
};

TEST_F(ResultDamageTest, WrongResultFlipsTheGivenNumberOfBitsOnce) {
  for (uint64_t draw = 0; draw < 100; ++draw) {
    output_ = {};
    damage_.Add(request_, {.kind = kWrongResult, .times = 7, .draw = draw});
    EXPECT_FALSE(damage_.empty());
    damage_.Apply(request_);
    EXPECT_EQ(FlippedBits(), 7);
    EXPECT_TRUE(damage_.empty());
    damage_.Apply(request_);
    EXPECT_EQ(FlippedBits(), 7) << "the fault was applied already";
  }
}

TEST_F(ResultDamageTest, MoreFlipsThanBitsFlipEachBitOnce) {
  damage_.Add(request_, {.kind = kWrongResult, .times = 1000});
  damage_.Apply(request_);
  EXPECT_EQ(FlippedBits(), 128);
}

TEST_F(ResultDamageTest, WrongResultLeavesARequestThatFailedAlone) {
  request_.status = CompletionStatus::kDeviceError;
  damage_.Add(request_, {.kind = kWrongResult, .times = 7});
  damage_.Apply(request_);
  EXPECT_EQ(FlippedBits(), 0);
  EXPECT_EQ(request_.status, CompletionStatus::kDeviceError);
}

TEST_F(ResultDamageTest, VerdictInvertedSwapsSuccessAndFailedWorkOnly) {
  const auto status_after = [this](CompletionStatus status) {
    request_.status = status;
    damage_.Add(request_, {.kind = kVerdictInverted});
    damage_.Apply(request_);
    return request_.status;
  };
  EXPECT_EQ(status_after(CompletionStatus::kPending), CompletionStatus::kOperationFailed);
  EXPECT_EQ(status_after(CompletionStatus::kOperationFailed), CompletionStatus::kOk);
  EXPECT_EQ(status_after(CompletionStatus::kDeviceError), CompletionStatus::kDeviceError);
  EXPECT_EQ(FlippedBits(), 0);
}

TEST_F(ResultDamageTest, ForgottenFaultAndOtherRequestsAreUntouched) {
  Request other;
  damage_.Add(request_, {.kind = kWrongResult, .times = 7});
  damage_.Apply(other);
  EXPECT_EQ(other.status, CompletionStatus::kPending);
  EXPECT_FALSE(damage_.empty());
  damage_.Forget(request_);
  damage_.Apply(request_);
  EXPECT_EQ(FlippedBits(), 0);
}

}  // namespace
}  // namespace hwsim
