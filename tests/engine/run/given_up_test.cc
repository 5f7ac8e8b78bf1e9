// Operations that were given up on the card: what frees them, and which completions are late.
#include "engine/run/given_up.h"

#include <gtest/gtest.h>

#include "tests/engine/operation_state_fixture.h"

namespace engine::run {
namespace {

constexpr hwsim::TimePoint At(int64_t microseconds) {
  return hwsim::TimePoint(std::chrono::microseconds(microseconds));
}

TEST(GivenUpTest, CompletionOfAnOperationInTheListIsLate) {
  GivenUp given_up;
  TestOperation operation;
  operation.GoToStopped();
  EXPECT_TRUE(given_up.Add(operation, At(1)));
  EXPECT_TRUE(given_up.OnCompletion(operation));
  EXPECT_EQ(operation.phase.now(), Phase::kDone);
  EXPECT_FALSE(given_up.Oldest());
  EXPECT_EQ(operation.freed, 0) << "its handle is still there";
  operation.Release();
  EXPECT_EQ(operation.freed, 1);
}

TEST(GivenUpTest, CompletionBeforeTheOwnerLooksIsNotLate) {
  GivenUp given_up;
  TestOperation operation;
  operation.GoToStopped();
  EXPECT_FALSE(given_up.OnCompletion(operation));
  EXPECT_FALSE(given_up.Add(operation, At(1))) << "the card has let go of the request already";
  EXPECT_FALSE(given_up.Oldest());
}

TEST(GivenUpTest, CompletionFreesAnOperationWhoseHandleIsGone) {
  GivenUp given_up;
  TestOperation operation;
  operation.GoToStopped();
  ASSERT_TRUE(given_up.Add(operation, At(1)));
  operation.Release();
  EXPECT_EQ(operation.phase.now(), Phase::kAbandoned);
  EXPECT_EQ(operation.freed, 0) << "the card still has it";
  EXPECT_TRUE(given_up.OnCompletion(operation));
  EXPECT_EQ(operation.freed, 1);
}

TEST(GivenUpTest, OldestIsTheFirstThatWasGivenUp) {
  GivenUp given_up;
  EXPECT_FALSE(given_up.Oldest());
  TestOperation first, second, third;
  for (TestOperation* operation : {&first, &second, &third}) operation->GoToStopped();
  ASSERT_TRUE(given_up.Add(second, At(20)));
  ASSERT_TRUE(given_up.Add(first, At(10)));
  ASSERT_TRUE(given_up.Add(third, At(30)));
  EXPECT_EQ(given_up.Oldest(), At(10));
  given_up.OnCompletion(first);
  EXPECT_EQ(given_up.Oldest(), At(20));
}

TEST(GivenUpTest, EndOfTheCardFreesWhatHasNoHandleAndLeavesTheRest) {
  GivenUp given_up;
  TestOperation kept, abandoned;
  for (TestOperation* operation : {&kept, &abandoned}) {
    operation->GoToStopped();
    ASSERT_TRUE(given_up.Add(*operation, At(1)));
  }
  abandoned.Release();
  given_up.LetGoOfAll();
  EXPECT_EQ(abandoned.freed, 1);
  EXPECT_EQ(kept.freed, 0);
  EXPECT_EQ(kept.phase.now(), Phase::kDone);
  EXPECT_TRUE(kept.phase.Begin()) << "it may be run again";
  EXPECT_FALSE(given_up.Oldest());
}

}  // namespace
}  // namespace engine::run
