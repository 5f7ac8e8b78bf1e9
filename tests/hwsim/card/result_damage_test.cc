#include "hwsim/card/result_damage.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstddef>
#include <span>

namespace hwsim::card {
namespace {

using enum faults::FaultKind;

class ResultDamageTest : public ::testing::Test {
 protected:
  ResultDamageTest() { request_.output = output_; }
  int FlippedBits() const {
    int flipped = 0;
    for (const std::byte byte : output_) flipped += std::popcount(std::to_integer<uint8_t>(byte));
    return flipped;
  }

  operations::Request request_;
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
  request_.status = operations::CompletionStatus::kDeviceError;
  damage_.Add(request_, {.kind = kWrongResult, .times = 7});
  damage_.Apply(request_);
  EXPECT_EQ(FlippedBits(), 0);
  EXPECT_EQ(request_.status, operations::CompletionStatus::kDeviceError);
}

TEST_F(ResultDamageTest, VerdictInvertedSwapsSuccessAndFailedWorkOnly) {
  const auto status_after = [this](operations::CompletionStatus status) {
    request_.status = status;
    damage_.Add(request_, {.kind = kVerdictInverted});
    damage_.Apply(request_);
    return request_.status;
  };
  EXPECT_EQ(status_after(operations::CompletionStatus::kPending),
            operations::CompletionStatus::kOperationFailed);
  EXPECT_EQ(status_after(operations::CompletionStatus::kOperationFailed),
            operations::CompletionStatus::kOk);
  EXPECT_EQ(status_after(operations::CompletionStatus::kDeviceError),
            operations::CompletionStatus::kDeviceError);
  EXPECT_EQ(FlippedBits(), 0);
}

TEST_F(ResultDamageTest, ForgottenFaultAndOtherRequestsAreUntouched) {
  operations::Request other;
  damage_.Add(request_, {.kind = kWrongResult, .times = 7});
  damage_.Apply(other);
  EXPECT_EQ(other.status, operations::CompletionStatus::kPending);
  EXPECT_FALSE(damage_.empty());
  damage_.Forget(request_);
  damage_.Apply(request_);
  EXPECT_EQ(FlippedBits(), 0);
}

}  // namespace
}  // namespace hwsim::card
