/* Breaks fds-not-asked: the engine changes its wait fd for each operation, but the application asks
 * for the fds once. */
#include <poll.h>

#include "program.h"

static int operation(void) {
  eventfd_t count;
  int fd = eventfd(1, EFD_NONBLOCK); /* the card completes at once */
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, NULL);
  ASYNC_pause_job();
  eventfd_read(fd, &count);
  ASYNC_WAIT_CTX_clear_fd(current_context(), "engine");
  return fd;
}

static int operate_twice(void* args) {
  int first = operation(), second = operation();
  (void)args;
  close(first);
  close(second);
  return 1;
}

int main(void) {
  ASYNC_JOB* job = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  struct pollfd wait = {.events = POLLIN};
  size_t count;
  REQUIRE(run(&job, ctx, operate_twice) == ASYNC_PAUSE);
  REQUIRE(ASYNC_WAIT_CTX_get_all_fds(ctx, &wait.fd, &count) && count == 1);
  REQUIRE(poll(&wait, 1, -1) == 1);
  REQUIRE(run(&job, ctx, operate_twice) == ASYNC_PAUSE);
  /* Resumes at once: a wait for the old fd would never end. */
  REQUIRE(run(&job, ctx, operate_twice) == ASYNC_FINISH);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
