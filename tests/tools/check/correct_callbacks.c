/*
 * Breaks no rule: a thread plays the card and calls the callbacks of several sessions. A callback
 * writes the number of its session into a pipe. The main loop reads the number and resumes the
 * session.
 */
#include <openssl/async.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define SESSIONS 8
#define OPERATIONS 40

#define REQUIRE(condition)                                  \
  if (!(condition)) {                                       \
    fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
    _exit(4);                                               \
  }

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static struct request {
  ASYNC_callback_fn callback;
  void* argument;
  atomic_int done;
  struct request* next;
} * queue;
static int stop;

static void* card(void* unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  for (;;) {
    struct request* request;
    ASYNC_callback_fn callback;
    void* argument;
    while (queue == NULL && !stop) pthread_cond_wait(&arrived, &mutex);
    if (queue == NULL) break;
    request = queue;
    queue = request->next;
    pthread_mutex_unlock(&mutex);
    callback = request->callback;
    argument = request->argument;
    atomic_store(&request->done, 1); /* the job owns the request again */
    callback(argument);
    pthread_mutex_lock(&mutex);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static int operation(void* args) {
  int number = *(int*)args;
  ASYNC_WAIT_CTX* ctx = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  struct request request = {0};
  REQUIRE(ASYNC_WAIT_CTX_get_callback(ctx, &request.callback, &request.argument));
  if (number % 5 == 0) { /* no callback will come: resume the job to try again */
    ASYNC_WAIT_CTX_set_status(ctx, ASYNC_STATUS_EAGAIN);
    ASYNC_pause_job();
  }
  ASYNC_WAIT_CTX_set_status(ctx, ASYNC_STATUS_OK);
  pthread_mutex_lock(&mutex);
  request.next = queue;
  queue = &request;
  pthread_cond_signal(&arrived);
  pthread_mutex_unlock(&mutex);
  do ASYNC_pause_job();
  while (!atomic_load(&request.done));
  return number;
}

static struct session {
  ASYNC_WAIT_CTX* ctx;
  ASYNC_JOB* job;
  int number;
} sessions[SESSIONS];
static int pipe_fds[2];

static int tell(void* arg) {
  char number = (char)((struct session*)arg - sessions);
  return write(pipe_fds[1], &number, 1) == 1;
}

/* Runs the session until its job waits for a callback. Returns whether the session is over. */
static int run(struct session* session) {
  for (;;) {
    int result = -1;
    int answer = ASYNC_start_job(&session->job, session->ctx, &result, operation, &session->number,
                                 sizeof(session->number));
    REQUIRE(answer == ASYNC_PAUSE || answer == ASYNC_FINISH);
    if (answer == ASYNC_FINISH) {
      REQUIRE(result == session->number);
      if (++session->number == OPERATIONS) return 1;
    } else if (ASYNC_WAIT_CTX_get_status(session->ctx) == ASYNC_STATUS_OK) {
      return 0;
    }
  }
}

int main(void) {
  int open = SESSIONS, i;
  pthread_t thread;
  REQUIRE(pipe(pipe_fds) == 0);
  pthread_create(&thread, NULL, card, NULL);
  for (i = 0; i < SESSIONS; i++) {
    sessions[i].ctx = ASYNC_WAIT_CTX_new();
    REQUIRE(ASYNC_WAIT_CTX_set_callback(sessions[i].ctx, tell, &sessions[i]));
    run(&sessions[i]);
  }
  while (open > 0) {
    char number;
    REQUIRE(read(pipe_fds[0], &number, 1) == 1);
    if (!run(&sessions[(int)number])) continue;
    ASYNC_WAIT_CTX_free(sessions[(int)number].ctx);
    open--;
  }
  pthread_mutex_lock(&mutex);
  stop = 1;
  pthread_cond_signal(&arrived);
  pthread_mutex_unlock(&mutex);
  pthread_join(thread, NULL);
  ASYNC_cleanup_thread();
  return 0;
}
