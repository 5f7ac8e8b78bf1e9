/* Breaks cleanup-early: the thread is cleaned up while its job is paused. */
#include "program.h"

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_PAUSE);
  ASYNC_cleanup_thread();
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
