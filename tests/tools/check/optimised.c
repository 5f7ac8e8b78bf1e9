/* Breaks busy-resume in a function that the compiler inlines. */
#include "program.h"

static int fd;

static int operate(void* args) {
  (void)args;
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, NULL);
  ASYNC_pause_job();
  return 1;
}

static inline __attribute__((always_inline)) void hurry(ASYNC_JOB** job, ASYNC_WAIT_CTX* ctx) {
  int result;
  REQUIRE(ASYNC_start_job(job, ctx, &result, operate, NULL, 0) == ASYNC_FINISH);
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  size_t count;
  int told;
  fd = eventfd(0, EFD_NONBLOCK);
  REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
  REQUIRE(ASYNC_WAIT_CTX_get_all_fds(ctx, &told, &count) && told == fd);
  hurry(&job, ctx);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
