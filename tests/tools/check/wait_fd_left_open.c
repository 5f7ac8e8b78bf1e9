/* Breaks wait-fd-left-open: after each operation, the engine clears its wait fd but does not close
 * it. */
#include "program.h"

#define OPERATIONS 9

static void close_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD fd, void* data) {
  (void)ctx;
  (void)key;
  (void)data;
  close(fd);
}

static void done_with(void) { REQUIRE(ASYNC_WAIT_CTX_clear_fd(current_context(), "engine")); }

static int operate(void* args) {
  int fd = eventfd(1, EFD_NONBLOCK); /* the card completes at once */
  eventfd_t count;
  (void)args;
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, close_fd);
  ASYNC_pause_job();
  eventfd_read(fd, &count);
  done_with();
  return 1;
}

int main(void) {
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  int i;
  for (i = 0; i < OPERATIONS; i++) {
    ASYNC_JOB* job = NULL;
    size_t count;
    int fd;
    REQUIRE(run(&job, ctx, operate) == ASYNC_PAUSE);
    REQUIRE(ASYNC_WAIT_CTX_get_all_fds(ctx, &fd, &count) && count == 1);
    REQUIRE(run(&job, ctx, operate) == ASYNC_FINISH);
  }
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
