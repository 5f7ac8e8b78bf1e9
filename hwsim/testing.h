// For tests of code that uses the card: an engine's retry loop, a driver's completion handler.
//
// CardTest has a card and holds its clock: time passes when the test says so, and in small steps,
// with the code under test let in at each. Told counts what that code tells its own callers. The
// matchers say what is to come of it:
//
//   TEST_F(MyEngineTest, GetsThroughAFullRing) {
//     UseCard({.faults = RingFullAtFirst(3)});
//     MyEngine engine(queue_pair(), clock());
//     OnStep([&] { engine.Poll(); });
//     hwsim::Told told;
//     engine.Run(request, told.AsFunction());
//     EXPECT_THAT(told, IsToldWithin(20us));
//     EXPECT_THAT(told, CompletesExactlyOnce());
//     EXPECT_THAT(card(), hwsim::RetriesAtMost(3));
//   }
//
// How a caller is told is the code's own affair: by a function, by a C callback as OpenSSL's are,
// or by a file descriptor that becomes readable. So nothing here knows of wait contexts.
//
// Threads: one, the test's, does everything. Time: virtual; no test waits for anything.
#ifndef GHOSTCARD_HWSIM_TESTING_H_
#define GHOSTCARD_HWSIM_TESTING_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "hwsim/card.h"
#include "hwsim/clock.h"
#include "hwsim/model/fault_plan.h"
#include "hwsim/queue_pair.h"
#include "hwsim/scripted_card.h"
#include "hwsim/virtual_card.h"

namespace hwsim {

// How often somebody was told that something is done. Outlives whatever tells it.
class Told {
 public:
  Told() = default;
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  // For code that calls a function, with whatever arguments.
  void operator()() { ++times_; }
  auto AsFunction() {
    return [this](auto&&...) { ++times_; };
  }
  // For code that calls back with a pointer, as OpenSSL's does: callback Told::Callback, argument
  // &told.
  static int Callback(void* told) {
    ++static_cast<Told*>(told)->times_;
    return 1;
  }

  uint64_t times() const { return times_; }

 private:
  uint64_t times_ = 0;
};
void PrintTo(const Told& told, std::ostream* out);
// What it accepted, refused and completed.
void PrintTo(const Card& card, std::ostream* out);

// The first `times` submits find the ring full, though there is room.
FaultPlan RingFullAtFirst(uint32_t times);

// Of a card: its queue pairs answered kAgain at most `times` times in all.
testing::Matcher<const Card&> RetriesAtMost(uint64_t times);

class CardTest : public testing::Test {
 protected:
  struct Setup {
    uint32_t depth = 64;                               // of its one queue pair
    Duration service = std::chrono::microseconds(10);  // for every operation
    FaultPlan faults;
    uint64_t seed = 1;
  };

  // One of these comes first, once. Bad options fail the test and end the process.
  // A card that gets on with its work as time passes, one request beside the other.
  void UseCard(const Setup& setup);
  // The same from a profile, with all that it can say.
  void UseCard(VirtualCard::Options options);
  // A card that completes requests when the test says so: script().CompleteOne().
  void UseScriptedCard(uint32_t depth, const FaultPlan& faults = {});

  Card& card() { return *card_; }
  QueuePair& queue_pair() { return *card_->queue_pairs().front(); }
  const Clock& clock() const { return card_->clock(); }
  // Requires: UseScriptedCard().
  ScriptedChannel& script() { return scripted_->channel(); }

  // What is to happen at each step of time: the code under test looks for completions, and at its
  // own timers.
  void OnStep(std::function<void()> step) { on_step_ = std::move(step); }
  // The longest step; the card's events come between. 1 us unless set.
  void SetStep(Duration step) { step_ = step; }

  // Lets `time` pass.
  void AdvanceBy(Duration time);
  // Lets time pass until `done`, at most `time`. Returns whether it is done.
  bool AdvanceUntil(const std::function<bool()>& done, Duration time);

  // The matchers that let time pass.
  // Told at least once before so much time has passed from now.
  testing::Matcher<const Told&> IsToldWithin(Duration time);
  // Told once, and not again while `time` passes.
  testing::Matcher<const Told&> CompletesExactlyOnce(Duration time = std::chrono::milliseconds(10));
  // Of a file descriptor, such as a wait fd: readable before so much time has passed.
  testing::Matcher<int> IsReadableWithin(Duration time);

  // Fails the test if the card still has requests: their memory may be gone.
  void TearDown() override;

 private:
  // AdvanceUntil for matchers: how much time passed, if it was done.
  std::function<std::optional<Duration>(const std::function<bool()>&, Duration)> Waiter();

  std::unique_ptr<Card> card_;
  VirtualCard* virtual_ = nullptr;  // one of the two is card_
  ScriptedCard* scripted_ = nullptr;
  std::function<void()> on_step_ = [] {};
  Duration step_ = std::chrono::microseconds(1);
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_TESTING_H_
