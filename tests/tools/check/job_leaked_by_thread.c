/* Breaks job-leaked: a thread ends with a paused job, which no other thread can resume. */
#include <pthread.h>

#include "program.h"

static void* serve(void* context) {
  static ASYNC_JOB* job;
  REQUIRE(run(&job, context, pause_once) == ASYNC_PAUSE);
  return NULL;
}

int main(void) {
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, serve, ASYNC_WAIT_CTX_new()) == 0);
  pthread_join(thread, NULL);
  _exit(0); /* no exit handler runs: the end of the thread has to find the job */
}
