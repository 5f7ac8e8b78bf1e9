#include "tests/examples/backoff_engine.h"

#include "hwsim/testing/card_test.h"

using namespace std::chrono_literals;
class BackoffEngineTest : public hwsim::testing::CardTest {};

TEST_F(BackoffEngineTest, GetsThroughARingThatIsFullThreeTimes) {
  UseCard({.service = 10us, .faults = hwsim::testing::RingFullAtFirst(3)});
  BackoffEngine engine(queue_pair(), clock());
  OnStep([&] { engine.Poll(); });
  hwsim::operations::Request request;
  hwsim::testing::Told told;
  engine.Run(request, told.AsFunction());
  EXPECT_THAT(told, IsToldWithin(1us + 2us + 4us + 10us));
  EXPECT_THAT(told, CompletesExactlyOnce());
  EXPECT_THAT(card(), hwsim::testing::RetriesAtMost(3));
}
