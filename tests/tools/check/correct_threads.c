/* Breaks no rule: each thread runs its own jobs, and each job clears its wait fd. */
#include <poll.h>
#include <pthread.h>

#include "program.h"

#define THREADS 4
#define OPERATIONS 200

static int operate(void* args) {
  int fd = eventfd(0, EFD_NONBLOCK);
  eventfd_t count;
  (void)args;
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, NULL);
  eventfd_write(fd, 1); /* the card completes at once */
  ASYNC_pause_job();
  REQUIRE(eventfd_read(fd, &count) == 0);
  REQUIRE(ASYNC_WAIT_CTX_clear_fd(current_context(), "engine"));
  close(fd);
  return 1;
}

static void* serve(void* unused) {
  int i;
  (void)unused;
  for (i = 0; i < OPERATIONS; i++) {
    ASYNC_JOB* job = NULL;
    ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
    while (run(&job, ctx, operate) == ASYNC_PAUSE) {
      struct pollfd wait = {.events = POLLIN};
      size_t count;
      REQUIRE(ASYNC_WAIT_CTX_get_all_fds(ctx, &wait.fd, &count) && count == 1);
      REQUIRE(poll(&wait, 1, -1) == 1);
    }
    ASYNC_WAIT_CTX_free(ctx);
  }
  ASYNC_cleanup_thread();
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  int i;
  for (i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, serve, NULL) == 0);
  for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  return 0;
}
