/* Breaks resume-refused: a job is resumed after ASYNC_FINISH. */
#include "program.h"

int main(void) {
  ASYNC_JOB *job = NULL, *stale;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_PAUSE);
  stale = job;
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_FINISH);
  REQUIRE(run(&stale, ctx, pause_once) == ASYNC_ERR);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
