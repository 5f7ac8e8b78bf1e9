/* Breaks nested-start: a job starts another job. */
#include "program.h"

static int start_another(void* args) {
  ASYNC_JOB* inner = NULL;
  (void)args;
  REQUIRE(run(&inner, current_context(), pause_once) == ASYNC_ERR);
  return 1;
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&job, ctx, start_another) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
