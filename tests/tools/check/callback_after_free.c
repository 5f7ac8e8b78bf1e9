/* Breaks callback-after-free: the callback is called once more after its context was freed. */
#include "program.h"

static int told;

static int callback(void* arg) {
  (void)arg;
  return ++told;
}

static int operate(void* args) {
  (void)args;
  ASYNC_WAIT_CTX_set_status(current_context(), ASYNC_STATUS_OK);
  ASYNC_pause_job();
  return 1;
}

static void finish(ASYNC_WAIT_CTX* ctx) { ASYNC_WAIT_CTX_free(ctx); }

static void complete(ASYNC_callback_fn found, void* argument) { found(argument); }

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  ASYNC_callback_fn found;
  void* argument;
  REQUIRE(ASYNC_WAIT_CTX_set_callback(ctx, callback, NULL));
  REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
  REQUIRE(ASYNC_WAIT_CTX_get_callback(ctx, &found, &argument));
  complete(found, argument);
  REQUIRE(run(&job, ctx, operate) == ASYNC_FINISH);
  finish(ctx);
  complete(found, argument);
  REQUIRE(told == 2);
  return 0;
}
