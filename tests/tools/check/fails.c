/* Breaks no rule. Ends with its argument as exit code, or by signal N when the argument is -N. */
#include <signal.h>
#include <stdlib.h>

#include "program.h"

int main(int argc, char** argv) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  int end = argc > 1 ? atoi(argv[1]) : 0;
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_PAUSE);
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  if (end >= 0) return end;
  signal(-end, SIG_DFL);
  raise(-end);
  return 5;
}
