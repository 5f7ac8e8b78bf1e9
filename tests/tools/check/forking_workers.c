/* Breaks busy-resume in each worker process. Their parent breaks no rule. */
#include <stdlib.h>
#include <sys/wait.h>

#include "program.h"

#define WORKERS 3

static int operate(void* args) {
  int fd = eventfd(0, EFD_NONBLOCK);
  (void)args;
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, NULL);
  ASYNC_pause_job();
  ASYNC_WAIT_CTX_clear_fd(current_context(), "engine");
  close(fd);
  return 1;
}

static void serve(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  size_t count;
  int fd;
  REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
  REQUIRE(ASYNC_WAIT_CTX_get_all_fds(ctx, &fd, &count));
  REQUIRE(run(&job, ctx, operate) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
}

int main(void) {
  int i, status;
  for (i = 0; i < WORKERS; i++) {
    if (fork() == 0) {
      serve();
      exit(0);
    }
  }
  for (i = 0; i < WORKERS; i++) REQUIRE(wait(&status) > 0 && status == 0);
  return 0;
}
