#include <openssl/async.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static int wait_for_byte(void *args) {
  int fd = *(int *)args;
  char byte = 0;
  ASYNC_WAIT_CTX_set_wait_fd(ASYNC_get_wait_ctx(ASYNC_get_current_job()), "pipe", fd, NULL, NULL);
  ASYNC_pause_job(); /* back to main, until it finds the pipe readable */
  return read(fd, &byte, 1) == 1 ? byte : -1;
}

int main(void) {
  int pipe_fds[2], result = 0;
  ASYNC_JOB *job = NULL;
  ASYNC_WAIT_CTX *ctx = ASYNC_WAIT_CTX_new();
  if (ctx == NULL || pipe(pipe_fds) != 0) return 1;
  while (ASYNC_start_job(&job, ctx, &result, wait_for_byte, &pipe_fds[0], sizeof(int)) == ASYNC_PAUSE) {
    struct pollfd wait = {.events = POLLIN};
    size_t count = 0;
    if (write(pipe_fds[1], "!", 1) != 1) return 1; /* the "card" is done */
    ASYNC_WAIT_CTX_get_all_fds(ctx, &wait.fd, &count);
    poll(&wait, 1, -1);
  }
  printf("the job read '%c'\n", result);
  ASYNC_WAIT_CTX_free(ctx);
  return result == '!' ? 0 : 1;
}
