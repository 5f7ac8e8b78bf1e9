/* Breaks wait-fd-not-read: the resumed operation does not read the signal from its wait fd. */
#include "program.h"

static int fd;

static int operate(void* args) {
  (void)args;
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, NULL);
  ASYNC_pause_job();
  return 1;
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  size_t count;
  int told;
  fd = eventfd(0, EFD_NONBLOCK);
  REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
  REQUIRE(ASYNC_WAIT_CTX_get_all_fds(ctx, &told, &count) && told == fd);
  eventfd_write(fd, 1); /* the card completes the request */
  REQUIRE(run(&job, ctx, operate) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  close(fd);
  return 0;
}
