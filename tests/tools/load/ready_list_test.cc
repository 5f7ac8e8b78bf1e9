#include "tools/load/ready_list.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace tools::load {
namespace {

struct Item : ReadyItem {
  explicit Item(int item_id) : id(item_id) {}
  const int id;
};

std::vector<int> Taken(ReadyList<Item>& list) {
  std::vector<int> ids;
  const size_t count = list.TakeAll([&](const Item& item) { ids.push_back(item.id); });
  EXPECT_EQ(count, ids.size());
  return ids;
}

TEST(ReadyListTest, TakesTheOldestFirst) {
  ReadyList<Item> list;
  std::deque<Item> items;
  for (const int id : {1, 2, 3}) EXPECT_FALSE(list.Push(items.emplace_back(id)));
  EXPECT_FALSE(list.empty());
  EXPECT_EQ(Taken(list), (std::vector<int>{1, 2, 3}));
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(Taken(list), std::vector<int>());
}

TEST(ReadyListTest, ContainsAnItemOnceThoughItIsPushedTwice) {
  ReadyList<Item> list;
  Item first(1);
  Item second(2);
  for (Item* item : {&first, &second, &first, &second, &second}) EXPECT_FALSE(list.Push(*item));
  EXPECT_EQ(Taken(list), (std::vector<int>{1, 2}));
}

TEST(ReadyListTest, AnItemPushedWhileItIsHandledComesAgain) {
  ReadyList<Item> list;
  Item item(1);
  EXPECT_FALSE(list.Push(item));
  EXPECT_EQ(list.TakeAll([&](Item& taken) { EXPECT_FALSE(list.Push(taken)); }), 1u);
  EXPECT_EQ(Taken(list), (std::vector<int>{1}));
}

TEST(ReadyListTest, OnePushWakesASleepingConsumer) {
  ReadyList<Item> list;
  Item first(1);
  Item second(2);
  ASSERT_TRUE(list.AnnounceSleep());
  EXPECT_TRUE(list.Push(first));
  EXPECT_FALSE(list.Push(second)) << "the first Push wakes the consumer already";
  list.EndSleep();
  EXPECT_EQ(Taken(list), (std::vector<int>{1, 2}));
  EXPECT_FALSE(list.Push(first)) << "the consumer is awake";
}

TEST(ReadyListTest, AConsumerDoesNotSleepWhileTheListContainsAnItem) {
  ReadyList<Item> list;
  Item first(1);
  Item second(2);
  EXPECT_FALSE(list.Push(first));
  EXPECT_FALSE(list.AnnounceSleep());
  EXPECT_FALSE(list.Push(second)) << "the consumer did not sleep";
}

}  // namespace
}  // namespace tools::load
