/* Breaks resume-refused: a job is resumed on a thread that did not start it. */
#include <pthread.h>

#include "program.h"

static ASYNC_JOB* job;
static ASYNC_WAIT_CTX* ctx;

static void* steal(void* unused) {
  (void)unused;
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_ERR);
  return NULL;
}

int main(void) {
  pthread_t thread;
  ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_PAUSE);
  REQUIRE(pthread_create(&thread, NULL, steal, NULL) == 0);
  pthread_join(thread, NULL);
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
