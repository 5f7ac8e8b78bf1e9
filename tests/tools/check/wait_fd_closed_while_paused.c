/* Breaks wait-fd-closed: the wait fd of a paused job is closed. */
#include "program.h"

static int operate(void* args) {
  int fd = eventfd(1, EFD_NONBLOCK);
  (void)args;
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, NULL);
  close(fd);
  ASYNC_pause_job();
  return 1;
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  size_t count;
  int fd;
  REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
  REQUIRE(ASYNC_WAIT_CTX_get_all_fds(ctx, &fd, &count) && count == 1);
  REQUIRE(run(&job, ctx, operate) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
