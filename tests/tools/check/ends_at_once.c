/* Ends by _exit with a job paused: nothing can be said for sure, as no exit handler runs. */
#include "program.h"

int main(void) {
  ASYNC_JOB* job = NULL;
  REQUIRE(run(&job, ASYNC_WAIT_CTX_new(), pause_once) == ASYNC_PAUSE);
  _exit(0);
}
