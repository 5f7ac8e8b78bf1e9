// The stack pool, its guards, and the message for a stack overflow.
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "waitctx/fibres/stack_pool.h"
#include "waitctx/job.h"

namespace waitctx::fibres {
namespace {

class StackPoolTest : public testing::TestWithParam<StackPool::GuardKind> {};

TEST_P(StackPoolTest, StacksAreApartAndComeBack) {
  StackPool pool({.stack_size = 64 * 1024, .guard = GetParam()});
  std::set<std::byte*> bottoms;
  for (int i = 0; i < 200; ++i) {
    const auto stack = pool.Allocate();
    ASSERT_TRUE(stack);
    EXPECT_EQ(stack->size, 64u * 1024);
    std::memset(stack->bottom, 1, stack->size);
    bottoms.insert(stack->bottom);
  }
  EXPECT_EQ(bottoms.size(), 200u);
  EXPECT_EQ(pool.counts().in_use, 200u);
  for (std::byte* bottom : bottoms) EXPECT_TRUE(pool.Free(bottom));
  EXPECT_EQ(pool.counts().in_use, 0u);
  EXPECT_EQ(pool.counts().slabs, 1u);
}

TEST_P(StackPoolTest, FreesOnlyWhatItGave) {
  StackPool pool({.guard = GetParam()});
  const auto stack = pool.Allocate();
  ASSERT_TRUE(stack);
  std::byte other;
  EXPECT_FALSE(pool.Free(&other));
  EXPECT_FALSE(pool.Free(stack->bottom + 16));
  EXPECT_TRUE(pool.Free(stack->bottom));
  EXPECT_FALSE(pool.Free(stack->bottom));
}

TEST_P(StackPoolTest, AFreedStackForgetsItsContentsAndKeepsItsGuard) {
  StackPool pool({.guard = GetParam()});
  auto stack = pool.Allocate();
  ASSERT_TRUE(stack);
  const auto keep = pool.Allocate();
  stack->bottom[0] = std::byte{7};
  ASSERT_TRUE(pool.Free(stack->bottom));
  stack = pool.Allocate();
  EXPECT_EQ(stack->bottom[0], std::byte{0});
  EXPECT_DEATH(*const_cast<volatile std::byte*>(stack->bottom - 1) = std::byte{1}, "");
  EXPECT_TRUE(pool.Free(stack->bottom));
  EXPECT_TRUE(pool.Free(keep->bottom));
}

INSTANTIATE_TEST_SUITE_P(Guards, StackPoolTest,
                         testing::Values(StackPool::GuardKind::kMadvise,
                                         StackPool::GuardKind::kMprotect),
                         [](const auto& info) {
                           return info.param == StackPool::GuardKind::kMadvise ? "Madvise"
                                                                               : "Mprotect";
                         });

// Recurses until the stack overflows.
[[gnu::noinline]] int Recurse(int depth) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  const int below = depth > 1'000'000 ? 0 : Recurse(depth + 1);
  return below + frame[0];
}

int Overflow(void*) { return Recurse(0); }

void OverflowInAJob() {
  Job* job = nullptr;
  int result = 0;
  (void)StartJob(job, nullptr, result, &Overflow, {});
}

std::string OverflowMessage() {
  return "stack overflow in job 0x[0-9a-f]+ .function 0x[0-9a-f]+.: its stack has " +
         std::to_string(kDefaultStackSize) + " bytes";
}

TEST(StackOverflowDeathTest, NamesTheJobAndItsStackSize) {
  EXPECT_DEATH(OverflowInAJob(), OverflowMessage());
}

TEST(StackOverflowDeathTest, IsReportedOnAnyThread) {
  EXPECT_DEATH(std::thread(OverflowInAJob).join(), OverflowMessage());
}

void EarlierHandler(int) {
  (void)!write(STDERR_FILENO, "earlier handler\n", 16);
  _exit(3);
}

TEST(StackOverflowDeathTest, EarlierHandlerRunsAfterTheMessage) {
  EXPECT_EXIT(
      {
        signal(SIGSEGV, &EarlierHandler);
        OverflowInAJob();
      },
      testing::ExitedWithCode(3), "(stack overflow in job|.*\n)*earlier handler");
}

TEST(StackOverflowDeathTest, OtherFaultsAreNotCalledOverflows) {
  void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  const auto fault = [](void* args) { return **static_cast<volatile int**>(args); };
  EXPECT_EXIT(
      {
        signal(SIGSEGV, &EarlierHandler);
        Job* job = nullptr;
        int result = 0;
        (void)StartJob(job, nullptr, result, fault, std::as_bytes(std::span(&page, 1)));
      },
      testing::ExitedWithCode(3), "^earlier handler");
  munmap(page, 4096);
}

}  // namespace
}  // namespace waitctx::fibres
