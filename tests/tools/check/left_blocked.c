/* Breaks left-blocked: a job ends while pausing is blocked. */
#include "program.h"

static int work(void* args) {
  (void)args;
  ASYNC_block_pause();
  return 1;
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&job, ctx, work) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
