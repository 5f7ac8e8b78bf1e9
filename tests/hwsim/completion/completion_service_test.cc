// What the completion services of all modes promise: they notice each completion, they sleep while
// nothing is in flight, they keep OnTime's deadlines, and they find completions of lost interrupts.
#include "hwsim/completion/completion_service.h"

#include <gtest/gtest.h>

#include "hwsim/base/fd.h"
#include "tests/hwsim/card/card_rig.h"

namespace hwsim::completion {
namespace {

class CompletionServiceTest : public card::CardRig {
 protected:
  bool threaded() const { return GetParam().mode != CompletionMode::kInline; }
  // Waits for `time` to pass. An idle thread that woke at one of the intervals in use would wake
  // within it.
  void LetTimePass(std::chrono::milliseconds time) {
    const TimePoint end = std::chrono::steady_clock::now() + time;
    ASSERT_TRUE(WaitFor([&] { return std::chrono::steady_clock::now() >= end; }));
  }
  // Requires: nothing is in flight.
  void ExpectThreadStaysAsleep() {
    // The thread is asleep once its count of wake-ups is unchanged over many of its intervals.
    uint64_t wakeups = UINT64_MAX;
    int unchanged = 0;
    ASSERT_TRUE(WaitFor([&] {
      const uint64_t before = std::exchange(wakeups, service_->stats().wakeups);
      unchanged = before == wakeups ? unchanged + 1 : 0;
      LetTimePass(std::chrono::milliseconds(20));
      return unchanged == 5;
    })) << "the thread goes on waking up";
    LetTimePass(std::chrono::milliseconds(20));
    EXPECT_EQ(service_->stats().wakeups, wakeups);
  }
};

TEST_P(CompletionServiceTest, EachOfManySingleRequestsIsNoticed) {
  OPEN_OR_SKIP({.depth = 4});
  std::deque<card::Probe> probes(2000);
  uint64_t sent = 0;
  for (card::Probe& probe : probes) {
    ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
    ASSERT_TRUE(WaitForRecorded(++sent)) << "lost after " << sent;
  }
  EXPECT_EQ(service_->stats().rescued, 0u);
  ExpectAtRest(2000);
}

TEST_P(CompletionServiceTest, HandlerMaySubmit) {
  OPEN_OR_SKIP({.depth = 4, .service = false});
  std::deque<card::Probe> probes(500);
  std::atomic<size_t> next{1};
  CompletionService::Options options;
  options.mode = GetParam().mode;
  options.handler = [&](rings::QueuePair& queue_pair,
                        std::span<operations::Request* const> requests) {
    Record(queue_pair, requests);
    for (size_t i = 0; i < requests.size(); ++i) {
      if (next < probes.size()) {
        EXPECT_EQ(Submit(probes[next++]), operations::SubmitStatus::kOk);
      }
    }
  };
  auto service = CompletionService::Create(*card_, std::move(options));
  ASSERT_TRUE(service) << service.error().message;
  service_ = std::move(*service);
  ASSERT_EQ(Submit(probes[0]), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  ExpectAtRest(probes.size());
}

TEST_P(CompletionServiceTest, PollHandlesCompletionsInEveryModeUpToItsQuota) {
  OPEN_OR_SKIP({.depth = 64});
  std::deque<card::Probe> probes(1000);
  for (card::Probe& probe : probes) {
    ASSERT_TRUE(WaitFor([&] {
      EXPECT_LE(service_->Poll(3), 3u);
      return Submit(probe) == operations::SubmitStatus::kOk;
    }));
  }
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  for (const card::Probe& probe : probes) ASSERT_EQ(probe.completions.load(), 1);
  ExpectAtRest(probes.size());
}

// The kernel may write to a ring's eventfd because a submitter's entry ended while the card had the
// eventfd enabled for a completion. The line then rises without a completion to handle.
TEST_P(CompletionServiceTest, ThreadStaysAsleepAfterASpuriousInterrupt) {
  if (!threaded()) GTEST_SKIP() << "inline mode has no thread";
  OPEN_OR_SKIP({.depth = 4, .service = false});
  StartService({.watchdog_interval = std::chrono::milliseconds(1)});
  for (uint64_t round = 1; round <= 3; ++round) {
    card::Probe probe;
    ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
    ASSERT_TRUE(WaitForRecorded(round));
    SignalEventFd(queue_pair().interrupt_fd());
    ExpectThreadStaysAsleep();
  }
}

TEST_P(CompletionServiceTest, ThreadStaysAsleepWhileNothingIsInFlight) {
  OPEN_OR_SKIP({.depth = 4, .service = false});
  StartService({.watchdog_interval = std::chrono::milliseconds(1)});
  card::Probe probe;
  ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitForRecorded(1));
  ExpectThreadStaysAsleep();
  // The next submit wakes the thread.
  card::Probe next;
  ASSERT_EQ(Submit(next), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitForRecorded(2));
}

TEST_P(CompletionServiceTest, OnTimeRunsWhenDueAndAfterWake) {
  OPEN_OR_SKIP({.service = false});
  std::atomic<int> runs{0};
  std::atomic<bool> early{false};
  TimePoint wanted{};
  CompletionService::Options options;
  options.on_time = [&](TimePoint now) -> std::optional<TimePoint> {
    if (now < wanted) early.store(true);
    if (runs.fetch_add(1) >= 4) return std::nullopt;
    wanted = now + std::chrono::microseconds(300);
    return wanted;
  };
  StartService(std::move(options));
  if (virtual_card_ != nullptr) {
    for (int i = 0; i < 10; ++i) {
      service_->Poll();
      virtual_card_->AdvanceTo(card_->clock().Now() + std::chrono::microseconds(300));
    }
    EXPECT_EQ(runs.load(), 5);
  }
  ASSERT_TRUE(WaitFor([&] { return runs.load() == 5; }));
  EXPECT_FALSE(early.load());
  service_->Wake();
  EXPECT_TRUE(WaitFor([&] { return runs.load() == 6; }));
  service_->Wake();
  EXPECT_TRUE(WaitFor([&] { return runs.load() == 7; }));
}

TEST_P(CompletionServiceTest, WatchdogFindsCompletionsOfLostInterrupts) {
  if (GetParam().mode != CompletionMode::kInterrupt) GTEST_SKIP() << "interrupt mode only";
  OPEN_OR_SKIP({.service = false});
  StartService({.watchdog_interval = std::chrono::milliseconds(1)});
  card_->SetInterrupts(false);  // from here on every interrupt is lost
  std::deque<card::Probe> probes(20);
  uint64_t sent = 0;
  for (card::Probe& probe : probes) {
    ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
    ASSERT_TRUE(WaitForRecorded(++sent));
  }
  EXPECT_GT(service_->stats().rescued, 0u);
}

TEST_P(CompletionServiceTest, NextServiceFindsWhatWasInFlight) {
  OPEN_OR_SKIP({});
  std::deque<card::Probe> probes(30);
  uint64_t sent = 0;
  for (card::Probe& probe : probes) {
    ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
    if (++sent % 10 == 5) {
      service_.reset();
      StartService({});
      // The new service has to find the requests that were in flight during the change.
    }
  }
  EXPECT_TRUE(WaitForRecorded(30));
  ExpectAtRest(30);
}

TEST_P(CompletionServiceTest, PollingWithoutAPauseWorks) {
  if (GetParam().mode != CompletionMode::kPolling) GTEST_SKIP() << "polling mode only";
  OPEN_OR_SKIP({.service = false});
  StartService({.poll_interval = Duration::zero()});
  std::deque<card::Probe> probes(500);
  for (card::Probe& probe : probes) {
    ASSERT_TRUE(WaitFor([&] { return Submit(probe) == operations::SubmitStatus::kOk; }));
  }
  EXPECT_TRUE(WaitForRecorded(500));
}

INSTANTIATE_TEST_SUITE_P(Cards, CompletionServiceTest, card::AllRigs(), card::RigName);

TEST(CompletionServiceOptionsTest, OptionOutOfBoundsIsRefusedWithASentence) {
  auto card = card::VirtualCard::Create({});
  ASSERT_TRUE(card);
  const auto refusal = [&](CompletionService::Options options) {
    auto service = CompletionService::Create(**card, std::move(options));
    return service ? std::string("created") : service.error().message;
  };
  const auto handler = [](rings::QueuePair&, std::span<operations::Request* const>) {};
  using std::chrono::seconds;
  EXPECT_NE(refusal({.mode = CompletionMode::kInline}).find("handler"), std::string::npos);
  EXPECT_NE(
      refusal({.mode = CompletionMode::kInline, .poll_interval = seconds(2), .handler = handler})
          .find("0 to 1 s"),
      std::string::npos);
  EXPECT_NE(
      refusal(
          {.mode = CompletionMode::kInline, .watchdog_interval = Duration(1), .handler = handler})
          .find("1 ms to 60 s"),
      std::string::npos);
  EXPECT_NE(refusal({.mode = CompletionMode::kPolling, .handler = handler})
                .find("the card is for one thread"),
            std::string::npos);
  EXPECT_EQ(refusal({.mode = CompletionMode::kInline, .handler = handler}), "created");
}

}  // namespace
}  // namespace hwsim::completion
