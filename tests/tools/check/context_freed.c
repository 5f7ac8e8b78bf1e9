/* Breaks context-freed: the application frees the context of a paused job. */
#include "program.h"

static void give_up(ASYNC_WAIT_CTX* ctx) { ASYNC_WAIT_CTX_free(ctx); }

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_PAUSE);
  give_up(ctx);
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_FINISH);
  return 0;
}
