/* Ends by _exit with a paused job: no exit handler runs, so the checker only notes the job. */
#include "program.h"

int main(void) {
  ASYNC_JOB* job = NULL;
  REQUIRE(run(&job, ASYNC_WAIT_CTX_new(), pause_once) == ASYNC_PAUSE);
  _exit(0);
}
