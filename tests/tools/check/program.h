/*
 * For the programs of this folder: a job that pauses once, and a function that starts or resumes a
 * job. Each program includes it in one file.
 */
#ifndef GHOSTCARD_TESTS_TOOLS_CHECK_PROGRAM_H_
#define GHOSTCARD_TESTS_TOOLS_CHECK_PROGRAM_H_

#include <openssl/async.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* If the condition is false, the program does not test what it should, and ends with code 4. */
#define REQUIRE(condition)                                  \
  if (!(condition)) {                                       \
    fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
    _exit(4);                                               \
  }

UNUSED static ASYNC_WAIT_CTX* current_context(void) {
  return ASYNC_get_wait_ctx(ASYNC_get_current_job());
}

UNUSED static int pause_once(void* args) {
  (void)args;
  ASYNC_pause_job();
  return 7;
}

/* Starts `function` without arguments, or resumes *job. */
UNUSED static int run(ASYNC_JOB** job, ASYNC_WAIT_CTX* ctx, int (*function)(void*)) {
  int result = 0;
  return ASYNC_start_job(job, ctx, &result, function, NULL, 0);
}

#endif /* GHOSTCARD_TESTS_TOOLS_CHECK_PROGRAM_H_ */
