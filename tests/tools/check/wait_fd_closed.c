/* Breaks wait-fd-closed: the engine closes its wait fd, then clears it. */
#include "program.h"

static void done_with(int fd) {
  close(fd);
  REQUIRE(ASYNC_WAIT_CTX_clear_fd(current_context(), "engine"));
}

static int operate(void* args) {
  int fd = eventfd(1, EFD_NONBLOCK);
  eventfd_t count;
  (void)args;
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, NULL);
  ASYNC_pause_job();
  eventfd_read(fd, &count);
  done_with(fd);
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
