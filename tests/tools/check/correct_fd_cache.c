/* Breaks no rule: the engine keeps the fds that it cleared, and uses them again. */
#include "program.h"

#define SESSIONS 16
#define ROUNDS 3

static int cache[SESSIONS], cached;

static void close_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD fd, void* data) {
  (void)ctx;
  (void)key;
  (void)data;
  close(fd);
}

static int operate(void* args) {
  int fd = cached > 0 ? cache[--cached] : eventfd(0, EFD_NONBLOCK);
  eventfd_t count;
  (void)args;
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, close_fd);
  eventfd_write(fd, 1); /* the card completes at once */
  ASYNC_pause_job();
  REQUIRE(eventfd_read(fd, &count) == 0);
  REQUIRE(ASYNC_WAIT_CTX_clear_fd(current_context(), "engine"));
  cache[cached++] = fd;
  return 1;
}

int main(void) {
  ASYNC_WAIT_CTX* ctx[SESSIONS];
  ASYNC_JOB* job[SESSIONS] = {NULL};
  int i, round;
  for (i = 0; i < SESSIONS; i++) ctx[i] = ASYNC_WAIT_CTX_new();
  for (round = 0; round < ROUNDS; round++) {
    for (i = 0; i < SESSIONS; i++) REQUIRE(run(&job[i], ctx[i], operate) == ASYNC_PAUSE);
    for (i = 0; i < SESSIONS; i++) {
      size_t count;
      int fd;
      REQUIRE(ASYNC_WAIT_CTX_get_all_fds(ctx[i], &fd, &count) && count == 1);
      REQUIRE(run(&job[i], ctx[i], operate) == ASYNC_FINISH);
    }
  }
  for (i = 0; i < SESSIONS; i++) ASYNC_WAIT_CTX_free(ctx[i]);
  while (cached > 0) close(cache[--cached]);
  return 0;
}
