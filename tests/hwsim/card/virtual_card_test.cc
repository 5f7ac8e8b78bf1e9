// VirtualCard: every run is the same, and only the caller moves the time.
#include "hwsim/card/virtual_card.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "hwsim/base/fd.h"
#include "hwsim/base/open_descriptors.h"

namespace hwsim::card {
namespace {

using std::chrono::microseconds;

// Runs a mixed load and returns a log of all that happens.
std::string Log(uint64_t seed, size_t padding) {
  model::Profile profile;
  profile.service_units = 3;
  profile.moderation = {.count = 5, .time = microseconds(7)};
  profile.faults.rules = {{.kind = faults::FaultKind::kCompletionError, .probability = 0.1},
                          {.kind = faults::FaultKind::kSubmitRefused, .probability = 0.05}};
  for (model::OperationCost& cost : profile.operations) {
    cost.service = {.distribution = model::LatencyModel::Distribution::kExponential,
                    .base = microseconds(10)};
  }
  auto card =
      *VirtualCard::Create({.profile = profile, .queue_pairs = 4, .depth = 16, .seed = seed});
  // Requests lie at other addresses; the log must not depend on them.
  const std::vector<std::byte> shift(padding);
  std::deque<operations::Request> requests(400);
  std::string log;
  std::array<operations::Request*, 8> popped;
  size_t number = 0;
  for (operations::Request& request : requests) {
    rings::QueuePair& queue_pair = *card->queue_pairs()[number % 4];
    log += std::to_string(static_cast<int>(queue_pair.Submit(request)));
    if (++number % 3 == 0) card->Step();
    if (number % 7 == 0) card->AdvanceTo(card->clock().Now() + microseconds(5));
    for (const auto& each : card->queue_pairs()) {
      const size_t count = each->PopCompleted(popped);
      for (operations::Request* request : std::span(popped).first(count)) {
        log += ' ' + std::to_string(request->completed.time_since_epoch().count()) + ':' +
               std::to_string(static_cast<int>(request->status));
        EXPECT_EQ(request->completed, request->due);
      }
    }
  }
  while (card->Step()) continue;
  const Card::Stats stats = card->stats();
  return log + card->fault_log().Text() + " interrupts " + std::to_string(stats.interrupts) +
         " faults " + std::to_string(stats.faults_fired);
}

TEST(VirtualCardTest, SameSeedSameLogWhereverRequestsLie) {
  EXPECT_EQ(Log(1, 0), Log(1, 100'000));
  EXPECT_NE(Log(1, 0), Log(2, 0));
}

TEST(VirtualCardTest, StepMovesToTheNextEventAndAdvanceToTakesAllOnTheWay) {
  model::Profile profile;
  profile.service_units = 1;
  profile.cost(operations::OperationKind::kNull).service.base = microseconds(10);
  auto card = *VirtualCard::Create({.profile = profile});
  EXPECT_FALSE(card->Step());
  EXPECT_FALSE(card->NextEvent());
  std::array<operations::Request, 4> requests;
  for (operations::Request& request : requests) {
    ASSERT_EQ(card->queue_pairs()[0]->Submit(request), operations::SubmitStatus::kOk);
  }
  const TimePoint start = card->clock().Now();
  EXPECT_TRUE(card->Step());
  EXPECT_EQ(card->clock().Now(), start + microseconds(10));
  EXPECT_TRUE(requests[0].done.load());
  EXPECT_FALSE(requests[1].done.load());
  card->AdvanceTo(start + microseconds(35));
  EXPECT_EQ(card->clock().Now(), start + microseconds(35));
  EXPECT_EQ(requests[2].completed, start + microseconds(30));
  EXPECT_FALSE(requests[3].done.load());
  EXPECT_EQ(card->NextEvent(), start + microseconds(40));
}

TEST(VirtualCardTest, TimeDriverStepsFromEventToEventAndNotBeyondALimit) {
  model::Profile profile;
  profile.cost(operations::OperationKind::kNull).service.base = microseconds(10);
  const std::unique_ptr<Card> card = *VirtualCard::Create({.profile = profile});
  EXPECT_TRUE(card->single_threaded());
  TimeDriver* const time = card->time_driver();
  ASSERT_NE(time, nullptr);
  const TimePoint start = card->clock().Now();
  EXPECT_FALSE(time->Step()) << "no event is pending";
  EXPECT_EQ(card->clock().Now(), start);
  EXPECT_TRUE(time->StepUntil(start + microseconds(3)));
  EXPECT_EQ(card->clock().Now(), start + microseconds(3)) << "time passes without events, too";
  EXPECT_TRUE(time->StepUntil(start));
  EXPECT_EQ(card->clock().Now(), start + microseconds(3)) << "a limit in the past changes nothing";

  operations::Request request;
  ASSERT_EQ(card->queue_pairs()[0]->Submit(request), operations::SubmitStatus::kOk);
  EXPECT_TRUE(time->StepUntil(start + microseconds(12)));
  EXPECT_FALSE(request.done.load());
  EXPECT_TRUE(time->StepUntil(start + microseconds(100)));
  EXPECT_EQ(card->clock().Now(), start + microseconds(13)) << "the event comes before the limit";
  EXPECT_TRUE(request.done.load());
}

TEST(VirtualCardTest, LineTakesADescriptorAtTheFirstCallAndThenShowsAnEarlierRise) {
  const size_t before = CountOpenDescriptors();
  auto card = *VirtualCard::Create({});
  rings::QueuePair& queue_pair = *card->queue_pairs()[0];
  EXPECT_FALSE(queue_pair.ArmInterrupt());
  operations::Request request;
  ASSERT_EQ(queue_pair.Submit(request), operations::SubmitStatus::kOk);
  EXPECT_TRUE(card->Step());
  EXPECT_EQ(CountOpenDescriptors(), before);
  const int line = queue_pair.interrupt_fd();
  EXPECT_TRUE(IsReadable(line));
  queue_pair.DisarmInterrupt();
  EXPECT_FALSE(IsReadable(line));
}

}  // namespace
}  // namespace hwsim::card
