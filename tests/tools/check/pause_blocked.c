/* Breaks pause-blocked: an operation pauses while pausing is blocked. */
#include "program.h"

static void operate(void) { ASYNC_pause_job(); }

static void enter(void) { ASYNC_block_pause(); }

static int work(void* args) {
  (void)args;
  enter();
  operate();
  ASYNC_unblock_pause();
  return 1;
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&job, ctx, work) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
