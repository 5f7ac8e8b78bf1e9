/* Breaks context-shared: two jobs are paused on one context. */
#include "program.h"

int main(void) {
  ASYNC_JOB *first = NULL, *second = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&first, ctx, pause_once) == ASYNC_PAUSE);
  REQUIRE(run(&second, ctx, pause_once) == ASYNC_PAUSE);
  REQUIRE(run(&first, ctx, pause_once) == ASYNC_FINISH);
  REQUIRE(run(&second, ctx, pause_once) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
