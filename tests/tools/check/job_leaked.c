/* Breaks job-leaked: the process exits with a paused job. */
#include "program.h"

static void start(ASYNC_JOB** job, ASYNC_WAIT_CTX* ctx) {
  REQUIRE(run(job, ctx, pause_once) == ASYNC_PAUSE);
}

int main(void) {
  static ASYNC_JOB* job;
  start(&job, ASYNC_WAIT_CTX_new());
  return 0;
}
