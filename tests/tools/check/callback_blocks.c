/* Breaks callback-blocks: the callback sleeps. */
#include <time.h>

#include "program.h"

static int callback(void* arg) {
  struct timespec rest = {.tv_nsec = 50000000};
  (void)arg;
  nanosleep(&rest, NULL);
  return 1;
}

static int operate(void* args) {
  (void)args;
  ASYNC_WAIT_CTX_set_status(current_context(), ASYNC_STATUS_OK);
  ASYNC_pause_job();
  return 1;
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  ASYNC_callback_fn found;
  void* argument;
  REQUIRE(ASYNC_WAIT_CTX_set_callback(ctx, callback, NULL));
  REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
  REQUIRE(ASYNC_WAIT_CTX_get_callback(ctx, &found, &argument));
  found(argument); /* the card completes the request */
  REQUIRE(run(&job, ctx, operate) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
