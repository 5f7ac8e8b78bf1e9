/*
 * OpenSSL's asynchronous jobs, served by Ghostcard's wait layer.
 *
 * Put this folder before OpenSSL's own headers on the include path and link //waitctx/c_api:async, or
 * preload libwaitctx_async.so under an existing program. The functions do what
 * ASYNC_start_job(3) and ASYNC_WAIT_CTX_new(3) say. Where OpenSSL would crash, these functions
 * return an error: a NULL that is not allowed gives 0 or ASYNC_ERR, the handle of a finished job
 * or of another thread's job gives ASYNC_ERR, and a freed wait context exists until its job has
 * finished.
 *
 * Threads: a job belongs to the thread that starts it. Any thread may set and read the status and
 * the callback of a wait context; ASYNC_WAIT_CTX_set_callback returns when the replaced callback
 * no longer runs.
 */
#ifndef OPENSSL_ASYNC_H
#define OPENSSL_ASYNC_H

#include <stddef.h>
#include <stdlib.h>

#if defined(__has_include)
#if __has_include(<openssl/macros.h>)
#include <openssl/macros.h>
#endif
#if __has_include(<openssl/asyncerr.h>)
#include <openssl/asyncerr.h>
#endif
#endif
#ifndef OPENSSL_NO_DEPRECATED_3_0
#define HEADER_ASYNC_H
#endif

#define OSSL_ASYNC_FD int
#define OSSL_BAD_ASYNC_FD (-1)

/* Results of ASYNC_start_job. */
#define ASYNC_ERR 0     /* refused; nothing happened */
#define ASYNC_NO_JOBS 1 /* the thread's pool is at its limit: try again later */
#define ASYNC_PAUSE 2   /* wait, then call again with the same *job */
#define ASYNC_FINISH 3  /* *ret is set, *job is NULL */

/* The result of a submit. The callback runs after ASYNC_STATUS_OK only. */
#define ASYNC_STATUS_UNSUPPORTED 0
#define ASYNC_STATUS_ERR 1
#define ASYNC_STATUS_OK 2
#define ASYNC_STATUS_EAGAIN 3

#ifdef __cplusplus
extern "C" {
#endif

typedef struct async_job_st ASYNC_JOB;
typedef struct async_wait_ctx_st ASYNC_WAIT_CTX;
typedef int (*ASYNC_callback_fn)(void* arg);

/* --- wait contexts: functions that return int return 1 on success, 0 otherwise --- */

ASYNC_WAIT_CTX* ASYNC_WAIT_CTX_new(void);
void ASYNC_WAIT_CTX_free(ASYNC_WAIT_CTX* ctx);

int ASYNC_WAIT_CTX_set_wait_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD fd,
                               void* custom_data,
                               void (*cleanup)(ASYNC_WAIT_CTX*, const void*, OSSL_ASYNC_FD, void*));
int ASYNC_WAIT_CTX_get_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD* fd,
                          void** custom_data);
/* fd may be NULL: then only *numfds is set. */
int ASYNC_WAIT_CTX_get_all_fds(ASYNC_WAIT_CTX* ctx, OSSL_ASYNC_FD* fd, size_t* numfds);
/* Either list may be NULL. Apply deletions first: a key may be in both lists. */
int ASYNC_WAIT_CTX_get_changed_fds(ASYNC_WAIT_CTX* ctx, OSSL_ASYNC_FD* addfd, size_t* numaddfds,
                                   OSSL_ASYNC_FD* delfd, size_t* numdelfds);
int ASYNC_WAIT_CTX_clear_fd(ASYNC_WAIT_CTX* ctx, const void* key);

int ASYNC_WAIT_CTX_set_callback(ASYNC_WAIT_CTX* ctx, ASYNC_callback_fn callback,
                                void* callback_arg);
int ASYNC_WAIT_CTX_get_callback(ASYNC_WAIT_CTX* ctx, ASYNC_callback_fn* callback,
                                void** callback_arg);
int ASYNC_WAIT_CTX_set_status(ASYNC_WAIT_CTX* ctx, int status);
int ASYNC_WAIT_CTX_get_status(ASYNC_WAIT_CTX* ctx);

/* --- jobs --- */

/* *job NULL: starts func on a job, with a copy of size bytes at args. Otherwise resumes *job. */
int ASYNC_start_job(ASYNC_JOB** job, ASYNC_WAIT_CTX* ctx, int* ret, int (*func)(void*), void* args,
                    size_t size);
int ASYNC_pause_job(void);
ASYNC_JOB* ASYNC_get_current_job(void);
ASYNC_WAIT_CTX* ASYNC_get_wait_ctx(ASYNC_JOB* job);
void ASYNC_block_pause(void);
void ASYNC_unblock_pause(void);

int ASYNC_init_thread(size_t max_size, size_t init_size);
void ASYNC_cleanup_thread(void);
int ASYNC_is_capable(void);

/* --- stacks: before the first job of the process --- */

typedef void* (*ASYNC_stack_alloc_fn)(size_t* num);
typedef void (*ASYNC_stack_free_fn)(void* addr);

int ASYNC_set_mem_functions(ASYNC_stack_alloc_fn alloc_fn, ASYNC_stack_free_fn free_fn);
void ASYNC_get_mem_functions(ASYNC_stack_alloc_fn* alloc_fn, ASYNC_stack_free_fn* free_fn);

#ifdef __cplusplus
}
#endif

#endif /* OPENSSL_ASYNC_H */
