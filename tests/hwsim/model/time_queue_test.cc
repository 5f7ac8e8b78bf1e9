#include "hwsim/model/time_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <tuple>

namespace hwsim::model {
namespace {

struct Entry {
  TimePoint time{};
  uint64_t rank = 0;
};

TimePoint At(int64_t ns) { return TimePoint(Duration(ns)); }

TEST(RingQueueTest, IsFirstInFirstOutAcrossGrowth) {
  RingQueue<int> queue;
  int pushed = 0, popped = 0;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 7; ++i) queue.push(pushed++);
    EXPECT_EQ(queue.back(), pushed - 1);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(queue.pop(), popped++);
  }
  EXPECT_EQ(queue.size(), 200u);
  while (!queue.empty()) ASSERT_EQ(queue.pop(), popped++);
  EXPECT_EQ(popped, pushed);
}

TEST(TimeQueueTest, EmptyHasNoNext) {
  TimeQueue<Entry> queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next(), TimePoint::max());
}

TEST(TimeQueueTest, SameTimeGoesByRank) {
  TimeQueue<Entry> queue;
  queue.push({At(100), 9});
  for (uint64_t rank : {5, 2, 7, 1}) queue.push({At(50), rank});
  std::vector<uint64_t> ranks;
  while (!queue.empty()) ranks.push_back(queue.pop().rank);
  EXPECT_EQ(ranks, (std::vector<uint64_t>{1, 2, 5, 7, 9}));
}

// Pushes and pops at random, against a sorted set, over spans from nothing to years.
TEST(TimeQueueTest, AgreesWithASortedSet) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    TimeQueue<Entry> queue;
    std::set<std::tuple<TimePoint, uint64_t>> expected;
    TimePoint now = At(static_cast<int64_t>(random() % 1'000'000));
    const uint64_t span = uint64_t{1} << (random() % 55);
    const uint64_t fullness = 1 + random() % 400;
    for (uint64_t step = 0; step < 2'000; ++step) {
      if (expected.size() < fullness && random() % 3 != 0) {
        const Entry entry{now + Duration(random() % span), (step << 8) ^ (random() % 4096)};
        if (expected.emplace(entry.time, entry.rank).second) queue.push(entry);
      } else if (!expected.empty()) {
        ASSERT_EQ(queue.next(), std::get<0>(*expected.begin()));
        const Entry entry = queue.pop();
        ASSERT_EQ(std::tuple(entry.time, entry.rank), *expected.begin());
        expected.erase(expected.begin());
        now = entry.time;
      }
      ASSERT_EQ(queue.empty(), expected.empty());
    }
  }
}

}  // namespace
}  // namespace hwsim::model
