/* Breaks busy-resume: the application resumes a job before the callback that the job waits for. */
#include "program.h"

static int callback(void* arg) { return arg == NULL; }

static int operate(void* args) {
  (void)args;
  ASYNC_WAIT_CTX_set_status(current_context(), ASYNC_STATUS_OK);
  ASYNC_pause_job();
  return 1;
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(ASYNC_WAIT_CTX_set_callback(ctx, callback, NULL));
  REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
  REQUIRE(run(&job, ctx, operate) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
