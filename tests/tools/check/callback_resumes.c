/* Breaks callback-resumes: the callback resumes the job instead of noting that it may run. */
#include "program.h"

static ASYNC_JOB* job;
static ASYNC_WAIT_CTX* ctx;

static int operate(void* args) {
  (void)args;
  ASYNC_WAIT_CTX_set_status(current_context(), ASYNC_STATUS_OK);
  ASYNC_pause_job();
  return 1;
}

static int callback(void* arg) {
  (void)arg;
  return run(&job, ctx, operate) == ASYNC_FINISH;
}

int main(void) {
  ASYNC_callback_fn found;
  void* argument;
  ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(ASYNC_WAIT_CTX_set_callback(ctx, callback, NULL));
  REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
  REQUIRE(ASYNC_WAIT_CTX_get_callback(ctx, &found, &argument));
  REQUIRE(found(argument)); /* the card completes the request */
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
