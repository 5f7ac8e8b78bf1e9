/*
 * Breaks no rule: an epoll loop waits for the wait fds of several sessions, and a thread plays the
 * card. The engine makes a new fd for every other operation. Some operations find the ring full,
 * and some have no wait fd.
 */
#include <openssl/async.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SESSIONS 8
#define OPERATIONS 40

#define REQUIRE(condition)                                  \
  if (!(condition)) {                                       \
    fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
    _exit(4);                                               \
  }

/* --- the card: completes the requests in its queue --- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static struct request {
  int fd;
  atomic_int done;
  struct request* next;
} * queue;
static int stop;

static void* card(void* unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  for (;;) {
    struct request* request;
    while (queue == NULL && !stop) pthread_cond_wait(&arrived, &mutex);
    if (queue == NULL) break;
    request = queue;
    queue = request->next;
    atomic_store(&request->done, 1);
    eventfd_write(request->fd, 1); /* under the lock: the fd is still open */
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

/* --- the engine --- */

static const char key[] = "engine";

static void cleanup(ASYNC_WAIT_CTX* ctx, const void* for_key, OSSL_ASYNC_FD fd, void* data) {
  (void)ctx;
  (void)for_key;
  (void)data;
  close(fd);
}

static int wait_fd(ASYNC_WAIT_CTX* ctx, int fresh) {
  void* data;
  int fd;
  if (ASYNC_WAIT_CTX_get_fd(ctx, key, &fd, &data)) {
    if (!fresh) return fd;
    REQUIRE(ASYNC_WAIT_CTX_clear_fd(ctx, key));
    pthread_mutex_lock(&mutex); /* the card does not use the fd now */
    close(fd);
    pthread_mutex_unlock(&mutex);
  }
  fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  REQUIRE(fd >= 0 && ASYNC_WAIT_CTX_set_wait_fd(ctx, key, fd, NULL, cleanup));
  return fd;
}

static int operation(void* args) {
  int number = *(int*)args;
  ASYNC_WAIT_CTX* ctx = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  struct request request = {0};
  eventfd_t count;

  if (number % 4 == 3) { /* no wait fd: the application resumes the job at once */
    void* data;
    int fd;
    if (ASYNC_WAIT_CTX_get_fd(ctx, key, &fd, &data)) {
      REQUIRE(ASYNC_WAIT_CTX_clear_fd(ctx, key));
      close(fd);
    }
    ASYNC_WAIT_CTX_set_status(ctx, ASYNC_STATUS_UNSUPPORTED);
    ASYNC_pause_job();
    return number;
  }
  request.fd = wait_fd(ctx, number % 2);
  if (number % 5 == 0) { /* the ring is full: resume the job to try again */
    ASYNC_WAIT_CTX_set_status(ctx, ASYNC_STATUS_EAGAIN);
    ASYNC_pause_job();
  }
  ASYNC_WAIT_CTX_set_status(ctx, ASYNC_STATUS_OK);
  pthread_mutex_lock(&mutex);
  request.next = queue;
  queue = &request;
  pthread_cond_signal(&arrived);
  pthread_mutex_unlock(&mutex);
  ASYNC_block_pause(); /* a critical section that does not pause */
  ASYNC_unblock_pause();
  do ASYNC_pause_job();
  while (!atomic_load(&request.done));
  pthread_mutex_lock(&mutex); /* the card does not use the fd any more */
  pthread_mutex_unlock(&mutex);
  eventfd_read(request.fd, &count);
  return number;
}

/* --- the application --- */

struct session {
  ASYNC_WAIT_CTX* ctx;
  ASYNC_JOB* job;
  int number; /* of the current operation */
  int ready;  /* resume it without waiting for an fd */
};

static void watch_changes(int epoll, struct session* session) {
  int added[4], removed[4];
  size_t add = 0, remove = 0, i;
  struct epoll_event event = {.events = EPOLLIN};
  REQUIRE(ASYNC_WAIT_CTX_get_changed_fds(session->ctx, NULL, &add, NULL, &remove));
  REQUIRE(add <= 4 && remove <= 4);
  REQUIRE(ASYNC_WAIT_CTX_get_changed_fds(session->ctx, added, &add, removed, &remove));
  for (i = 0; i < remove; i++)
    epoll_ctl(epoll, EPOLL_CTL_DEL, removed[i], NULL); /* fails if the fd is closed */
  event.data.ptr = session;
  for (i = 0; i < add; i++) /* fails if the fd is there already */
    epoll_ctl(epoll, EPOLL_CTL_ADD, added[i], &event);
}

/* Starts or resumes the session's job. Returns whether all operations are done. */
static int run(int epoll, struct session* session) {
  int result = -1, answer;
  size_t fds = 0;
  session->ready = 0;
  answer = ASYNC_start_job(&session->job, session->ctx, &result, operation, &session->number,
                           sizeof(session->number));
  REQUIRE(answer == ASYNC_PAUSE || answer == ASYNC_FINISH);
  watch_changes(epoll, session);
  if (answer == ASYNC_FINISH) {
    REQUIRE(result == session->number);
    session->ready = 1;
    return ++session->number == OPERATIONS;
  }
  ASYNC_WAIT_CTX_get_all_fds(session->ctx, NULL, &fds);
  session->ready = fds == 0 || ASYNC_WAIT_CTX_get_status(session->ctx) == ASYNC_STATUS_EAGAIN;
  return 0;
}

int main(void) {
  struct session sessions[SESSIONS] = {{0}};
  int epoll = epoll_create1(EPOLL_CLOEXEC), open = SESSIONS, i;
  pthread_t thread;
  REQUIRE(ASYNC_init_thread(SESSIONS, 2));
  pthread_create(&thread, NULL, card, NULL);
  for (i = 0; i < SESSIONS; i++) {
    sessions[i].ctx = ASYNC_WAIT_CTX_new();
    sessions[i].ready = 1;
  }
  while (open > 0) {
    struct epoll_event events[SESSIONS];
    int any = 0, count;
    for (i = 0; i < SESSIONS; i++) any |= sessions[i].ready;
    count = epoll_wait(epoll, events, SESSIONS, any ? 0 : -1);
    for (i = 0; i < count; i++) ((struct session*)events[i].data.ptr)->ready = 1;
    for (i = 0; i < SESSIONS; i++) {
      if (!sessions[i].ready || !run(epoll, &sessions[i])) continue;
      ASYNC_WAIT_CTX_free(sessions[i].ctx);
      sessions[i].ctx = NULL;
      sessions[i].ready = 0;
      open--;
    }
  }
  pthread_mutex_lock(&mutex);
  stop = 1;
  pthread_cond_signal(&arrived);
  pthread_mutex_unlock(&mutex);
  pthread_join(thread, NULL);
  ASYNC_cleanup_thread();
  close(epoll);
  return 0;
}
