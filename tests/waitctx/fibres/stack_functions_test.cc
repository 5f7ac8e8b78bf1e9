// ASYNC_set_mem_functions, with which the application provides the stacks. It works only before the
// process's first job, so it has its own test program.
#include <cstdlib>

#include "gtest/gtest.h"
#include "waitctx/include/openssl/async.h"

namespace {

ASYNC_stack_alloc_fn default_alloc;
ASYNC_stack_free_fn default_free;
int allocated = 0;
int freed = 0;
bool refuse = false;

void* Alloc(size_t* size) {
  if (refuse) return nullptr;
  ++allocated;
  *size *= 4;  // larger than a stack of the pool
  return default_alloc(size);
}

void Free(void* stack) {
  ++freed;
  default_free(stack);
}

TEST(StackFunctionsTest, JobsUseThemAndTheFirstJobFixesThem) {
  ASYNC_get_mem_functions(&default_alloc, &default_free);
  ASSERT_NE(default_alloc, nullptr);
  ASSERT_NE(default_free, nullptr);
  size_t size = 1;
  void* stack = default_alloc(&size);
  EXPECT_GE(size, 32u * 1024);
  default_free(stack);

  ASSERT_EQ(ASYNC_set_mem_functions(&Alloc, nullptr), 1);
  ASSERT_EQ(ASYNC_set_mem_functions(nullptr, &Free), 1);
  ASYNC_stack_alloc_fn alloc = nullptr;
  ASYNC_get_mem_functions(&alloc, nullptr);
  EXPECT_EQ(alloc, &Alloc);

  ASYNC_JOB* job = nullptr;
  int result = 0;
  const auto use_stack = [](void*) {
    volatile char buffer[100 * 1024];  // larger than a default stack
    for (size_t i = 0; i < sizeof(buffer); i += 1024) buffer[i] = 1;
    ASYNC_pause_job();
    return static_cast<int>(buffer[1024]);
  };
  refuse = true;
  EXPECT_EQ(ASYNC_start_job(&job, nullptr, &result, use_stack, nullptr, 0), ASYNC_NO_JOBS);
  refuse = false;
  ASSERT_EQ(ASYNC_start_job(&job, nullptr, &result, use_stack, nullptr, 0), ASYNC_PAUSE);
  EXPECT_EQ(ASYNC_set_mem_functions(default_alloc, default_free), 0);
  ASSERT_EQ(ASYNC_start_job(&job, nullptr, &result, use_stack, nullptr, 0), ASYNC_FINISH);
  EXPECT_EQ(result, 1);
  ASYNC_cleanup_thread();
  EXPECT_EQ(allocated, 1);
  EXPECT_EQ(freed, 1);
}

}  // namespace
