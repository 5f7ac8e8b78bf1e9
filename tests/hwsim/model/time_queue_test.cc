// The queues against the obvious, slow ones.
#include "hwsim/model/time_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>
#include <vector>

namespace hwsim {
namespace {

TimePoint At(int64_t ns) { return TimePoint(Duration(ns)); }

TEST(RingQueueTest, IsFirstInFirstOut) {
  RingQueue<int> queue;
  EXPECT_TRUE(queue.empty());
  for (int i = 0; i < 100; ++i) queue.push(i);
  EXPECT_EQ(queue.front(), 0);
  EXPECT_EQ(queue.back(), 99);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(queue.pop(), i);
  EXPECT_TRUE(queue.empty());
}

TEST(RingQueueTest, GrowsInTheMiddleOfALap) {
  RingQueue<int> queue;
  for (int i = 0; i < 16; ++i) queue.push(i);
  for (int i = 0; i < 10; ++i) queue.pop();
  for (int i = 16; i < 60; ++i) queue.push(i);
  for (int i = 10; i < 60; ++i) ASSERT_EQ(queue.pop(), i);
}

TEST(RingQueueTest, AgreesWithDequeOnRandomSequences) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    RingQueue<uint32_t> queue;
    std::deque<uint32_t> model;
    for (int step = 0; step < 2000; ++step) {
      if (model.empty() || random() % 100 < 52) {
        const auto value = static_cast<uint32_t>(random());
        queue.push(value);
        model.push_back(value);
      } else {
        ASSERT_EQ(queue.pop(), model.front());
        model.pop_front();
      }
      ASSERT_EQ(queue.empty(), model.empty());
      if (!model.empty()) {
        ASSERT_EQ(queue.front(), model.front());
        ASSERT_EQ(queue.back(), model.back());
      }
    }
  }
}

TEST(TimeQueueTest, NextOfAnEmptyQueueIsNone) {
  TimeQueue<int> queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(TimeQueueTest, EarliestComesFirst) {
  TimeQueue<int> queue;
  queue.push(At(30), 3);
  queue.push(At(10), 1);
  queue.push(At(20), 2);
  EXPECT_EQ(queue.next(), At(10));
  EXPECT_EQ(queue.pop(), std::pair(At(10), 1));
  EXPECT_EQ(queue.pop(), std::pair(At(20), 2));
  EXPECT_EQ(queue.pop(), std::pair(At(30), 3));
  EXPECT_TRUE(queue.empty());
}

TEST(TimeQueueTest, TiesComeInTheOrderOfPushing) {
  TimeQueue<int> queue;
  queue.push(At(20), 0);
  queue.push(At(10), 1);  // out of order: the heap's
  queue.push(At(20), 2);
  queue.push(At(10), 3);
  queue.push(At(20), 4);
  std::vector<int> order;
  while (!queue.empty()) order.push_back(queue.pop().second);
  EXPECT_EQ(order, (std::vector<int>{1, 3, 0, 2, 4}));
}

TEST(TimeQueueTest, TieBetweenHeapAndRingComesInTheOrderOfPushing) {
  TimeQueue<int> queue;
  queue.push(At(20), 0);
  queue.push(At(10), 1);  // the heap's
  queue.pop();
  queue.push(At(15), 2);  // the heap's again
  EXPECT_EQ(queue.pop().second, 2);
  EXPECT_EQ(queue.pop().second, 0);
  queue.push(At(5), 3);  // the ring is empty: its own
  queue.push(At(5), 4);
  EXPECT_EQ(queue.pop().second, 3);
  EXPECT_EQ(queue.pop().second, 4);
}

TEST(TimeQueueTest, DropWhileStopsAtTheFirstWanted) {
  TimeQueue<int> queue;
  queue.push(At(30), 1);
  queue.push(At(10), 2);
  queue.push(At(20), 4);
  queue.push(At(40), 6);
  queue.drop_while([](int value) { return value % 2 == 0; });
  EXPECT_EQ(queue.pop(), std::pair(At(30), 1));
  EXPECT_EQ(queue.pop(), std::pair(At(40), 6));
  EXPECT_TRUE(queue.empty());
}

TEST(TimeQueueTest, DropWhileMayEmptyTheQueue) {
  TimeQueue<int> queue;
  queue.push(At(30), 1);
  queue.push(At(10), 1);
  queue.drop_while([](int) { return true; });
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next(), std::nullopt);
}

struct Pushed {
  TimePoint time;
  int value;
};

TEST(TimeQueueTest, AllPushedThenAllPoppedIsAStableSort) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const unsigned span = 1 + random() % 100;  // few times: many ties
    TimeQueue<int> queue;
    std::vector<Pushed> model;
    for (int i = 0; i < 300; ++i) {
      const TimePoint time = At(random() % span);
      queue.push(time, i);
      model.push_back({time, i});
    }
    std::ranges::stable_sort(model, {}, &Pushed::time);
    for (const Pushed& expected : model) {
      ASSERT_EQ(queue.next(), expected.time);
      ASSERT_EQ(queue.pop(), std::pair(expected.time, expected.value));
    }
    ASSERT_TRUE(queue.empty());
  }
}

TEST(TimeQueueTest, PushesAndPopsMixedAgreeWithAStableSort) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    TimeQueue<int> queue;
    std::vector<Pushed> model;
    int64_t now = 0;
    for (int i = 0; i < 1000; ++i) {
      if (model.empty() || random() % 100 < 55) {
        const TimePoint time = At(now + random() % 20);
        queue.push(time, i);
        model.push_back({time, i});
        continue;
      }
      std::ranges::stable_sort(model, {}, &Pushed::time);
      ASSERT_EQ(queue.next(), model.front().time);
      ASSERT_EQ(queue.pop(), std::pair(model.front().time, model.front().value));
      now = model.front().time.time_since_epoch().count();
      model.erase(model.begin());
    }
  }
}

}  // namespace
}  // namespace hwsim
