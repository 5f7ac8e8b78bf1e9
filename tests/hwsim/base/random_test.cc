#include "hwsim/base/random.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <vector>

namespace hwsim {
namespace {

std::vector<uint64_t> Draw(Random random, size_t count) {
  std::vector<uint64_t> drawn(count);
  for (uint64_t& number : drawn) number = random.Next();
  return drawn;
}

// Published with splitmix64: these numbers are the same on every machine.
TEST(RandomTest, SequenceIsSplitmix64s) {
  EXPECT_EQ(Draw(Random(0), 5),
            (std::vector<uint64_t>{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f,
                                   0xf88bb8a8724c81ec, 0x1b39896a51a8749b}));
  EXPECT_EQ(Draw(Random(1234567), 5),
            (std::vector<uint64_t>{6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                   4593380528125082431u, 16408922859458223821u}));
}

// splitmix64 maps states to numbers one to one, so each number has one seed that draws it first.
constexpr uint64_t kSeedOfLeast = 0x61c8864680b583eb;
constexpr uint64_t kSeedOfGreatest = 0x31628af67b2131ab;

TEST(RandomTest, NextCoversAllNumbers) {
  EXPECT_EQ(Random(kSeedOfLeast).Next(), 0u);
  EXPECT_EQ(Random(kSeedOfGreatest).Next(), UINT64_MAX);
}

TEST(RandomTest, DoubleMayBeZeroAndIsLessThanOne) {
  EXPECT_EQ(Random(kSeedOfLeast).NextDouble(), 0.0);
  EXPECT_EQ(Random(kSeedOfGreatest).NextDouble(), 1.0 - 0x1p-53);
}

TEST(RandomTest, DoubleSpendsOneDraw) {
  Random doubles(7);
  static_cast<void>(doubles.NextDouble());
  EXPECT_EQ(doubles.Next(), Draw(Random(7), 2)[1]);
}

TEST(RandomTest, DoublesAreSpreadEvenly) {
  constexpr int kTenths = 10, kDraws = 100'000;
  int counts[kTenths] = {};
  Random random(1);
  for (int i = 0; i < kDraws; ++i) {
    const double drawn = random.NextDouble();
    ASSERT_GE(drawn, 0.0);
    ASSERT_LT(drawn, 1.0);
    ++counts[static_cast<int>(drawn * kTenths)];
  }
  // Five standard deviations. The seed is fixed: the test passes always or never.
  for (const int count : counts) EXPECT_NEAR(count, kDraws / kTenths, 475);
}

TEST(RandomTest, ForkDrawsNothingFromItsParent) {
  Random forked(7);
  static_cast<void>(forked.Fork(0).Next());
  static_cast<void>(forked.Fork(1).Next());
  EXPECT_EQ(Draw(forked, 3), Draw(Random(7), 3));
}

// A recorded seed replays a run only while these stay as they are.
TEST(RandomTest, ForkIsTheSameOnEveryMachine) {
  EXPECT_EQ(Draw(Random(1).Fork(0), 2),
            (std::vector<uint64_t>{0x953f967ed2f9734a, 0x04dabd444b939413}));
  EXPECT_EQ(Draw(Random(1).Fork(1), 2),
            (std::vector<uint64_t>{0xde2472106ae1f0c5, 0xbcf59cb5d3947948}));
}

TEST(RandomTest, ForksAndTheirParentShareNoNumbers) {
  constexpr size_t kDraws = 1'000;
  constexpr uint64_t kStreams = 50;
  std::set<uint64_t> all;
  for (const uint64_t seed : {0u, 1u}) {
    const Random parent(seed);
    for (const uint64_t number : Draw(parent, kDraws)) all.insert(number);
    for (uint64_t stream = 0; stream < kStreams; ++stream) {
      for (const uint64_t number : Draw(parent.Fork(stream), kDraws)) all.insert(number);
    }
  }
  EXPECT_EQ(all.size(), 2 * (kStreams + 1) * kDraws);
}

// Two independent streams differ in half of their bits.
TEST(RandomTest, ForksOfNeighbouringStreamsAreIndependent) {
  constexpr size_t kDraws = 1'000;
  const Random parent(1);
  std::vector<uint64_t> before = Draw(parent, kDraws);
  for (uint64_t stream = 0; stream < 20; ++stream) {
    const std::vector<uint64_t> drawn = Draw(parent.Fork(stream), kDraws);
    int differences = 0;
    for (size_t i = 0; i < kDraws; ++i) differences += std::popcount(before[i] ^ drawn[i]);
    // Five standard deviations.
    EXPECT_NEAR(differences, kDraws * 64 / 2, 633) << "stream " << stream;
    before = drawn;
  }
}

}  // namespace
}  // namespace hwsim
