/* Breaks busy-resume: the application keeps resuming a job whose wait fd is not readable. */
#include <openssl/async.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int work(void* args) {
  int fd = *(int*)args, turns = 0;
  eventfd_t count;
  ASYNC_WAIT_CTX_set_wait_fd(ASYNC_get_wait_ctx(ASYNC_get_current_job()), "e", fd, NULL, NULL);
  while (eventfd_read(fd, &count) != 0) {
    ASYNC_pause_job();
    turns++;
  }
  return turns;
}

static void spin(int fd) {
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  ASYNC_JOB* job = NULL;
  size_t count = 1;
  int result = 0, turns = 0, wait_fd;
  while (ASYNC_start_job(&job, ctx, &result, work, &fd, sizeof(fd)) == ASYNC_PAUSE) {
    ASYNC_WAIT_CTX_get_all_fds(ctx, &wait_fd, &count);
    if (++turns == 100) eventfd_write(fd, 1);
  }
  ASYNC_WAIT_CTX_free(ctx);
}

int main(void) {
  int fd = eventfd(0, EFD_NONBLOCK);
  spin(fd);
  close(fd);
  return 0;
}
