/* Breaks status-not-set: the engine calls the callback without having set the status. */
#include "program.h"

static int told;

static int callback(void* arg) {
  (void)arg;
  return ++told;
}

static void complete(ASYNC_WAIT_CTX* ctx) {
  ASYNC_callback_fn found;
  void* argument;
  REQUIRE(ASYNC_WAIT_CTX_get_callback(ctx, &found, &argument));
  found(argument);
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(ASYNC_WAIT_CTX_set_callback(ctx, callback, NULL));
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_PAUSE);
  complete(ctx);
  REQUIRE(told == 1);
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
