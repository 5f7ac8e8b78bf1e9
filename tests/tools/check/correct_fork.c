/*
 * Breaks no rule: a process forks while a job is paused. The parent resumes that job, and the child
 * runs another. Both processes run their exit handlers.
 */
#include <stdlib.h>
#include <sys/wait.h>

#include "program.h"

static void session(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_PAUSE);
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  pid_t child;
  int status;
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_PAUSE);
  child = fork();
  if (child == 0) {
    session();
    ASYNC_WAIT_CTX_free(ctx); /* the child's copy: the parent resumes the job */
    exit(0);
  }
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
  REQUIRE(run(&job, ctx, pause_once) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  session();
  return 0;
}
