#include "tools/load/progress_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <utility>

namespace tools::load {
namespace {

TEST(ProgressWatchTest, EndsAtOnceThoughTheNextLookIsFarAway) {
  bool stalled = false;
  {
    const ProgressWatch watch({.interval = std::chrono::hours(1),
                               .patience = std::chrono::hours(2),
                               .on_stall = [&] { stalled = true; }});
  }
  EXPECT_FALSE(stalled);
}

TEST(ProgressWatchTest, ReportsAStallAgainAndAgain) {
  std::promise<void> third;
  std::atomic<int> stalls{0};
  const ProgressWatch watch({.interval = std::chrono::milliseconds(1),
                             .patience = std::chrono::milliseconds(2),
                             .on_stall = [&] {
                               if (++stalls == 3) third.set_value();
                             }});
  EXPECT_EQ(third.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST(ProgressWatchTest, OnStallMayTakeLongerThanTheInterval) {
  std::promise<void> stalled;
  std::promise<void> go_on;
  {
    const ProgressWatch watch(
        {.interval = std::chrono::milliseconds(1),
         .patience = std::chrono::milliseconds(1),
         .on_stall = [&, reported = false, waited = go_on.get_future().share()]() mutable {
           if (std::exchange(reported, true)) return;
           stalled.set_value();
           waited.wait();
         }});
    EXPECT_EQ(stalled.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
    go_on.set_value();
  }
}

}  // namespace
}  // namespace tools::load
