/* Breaks null-argument: a job has no context. OpenSSL crashes when such a job is resumed. */
#include "program.h"

static int start(ASYNC_JOB** job) { return run(job, NULL, pause_once); }

int main(void) {
  ASYNC_JOB* job = NULL;
  REQUIRE(start(&job) == ASYNC_PAUSE);
  REQUIRE(run(&job, NULL, pause_once) == ASYNC_FINISH);
  return 0;
}
