/*
 * A C program that knows of <openssl/async.h> only, with our folder first on its include path.
 */
#include <openssl/async.h>
#include <stdio.h>

static int cleaned = 0;

static void cleanup(ASYNC_WAIT_CTX *ctx, const void *key, OSSL_ASYNC_FD fd, void *data)
{
    (void)ctx;
    (void)key;
    (void)data;
    cleaned += fd;
}

static int callback(void *arg) { return *(int *)arg; }

static int work(void *args)
{
    ASYNC_WAIT_CTX *ctx = ASYNC_get_wait_ctx(ASYNC_get_current_job());
    ASYNC_WAIT_CTX_set_wait_fd(ctx, args, 21, NULL, cleanup);
    ASYNC_WAIT_CTX_set_status(ctx, ASYNC_STATUS_OK);
    ASYNC_pause_job();
    return *(int *)args + 1;
}

#define REQUIRE(condition)                                         \
    if (!(condition)) {                                            \
        fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
        return 1;                                                  \
    }

int main(void)
{
    ASYNC_WAIT_CTX *ctx = ASYNC_WAIT_CTX_new();
    ASYNC_JOB *job = NULL;
    ASYNC_callback_fn found = NULL;
    OSSL_ASYNC_FD fd = OSSL_BAD_ASYNC_FD;
    size_t count = 0, removed = 0;
    int ret = 0, args = 41;
    void *arg = NULL;

    REQUIRE(ASYNC_is_capable());
    REQUIRE(ASYNC_init_thread(4, 2));
    REQUIRE(ASYNC_WAIT_CTX_set_callback(ctx, callback, &args));
    REQUIRE(ASYNC_start_job(&job, ctx, &ret, work, &args, sizeof(args)) == ASYNC_PAUSE);
    REQUIRE(ASYNC_WAIT_CTX_get_changed_fds(ctx, &fd, &count, NULL, &removed));
    REQUIRE(fd == 21 && count == 1 && removed == 0);
    REQUIRE(ASYNC_WAIT_CTX_get_status(ctx) == ASYNC_STATUS_OK);
    REQUIRE(ASYNC_WAIT_CTX_get_callback(ctx, &found, &arg) && found(arg) == 41);
    REQUIRE(ASYNC_start_job(&job, ctx, &ret, work, &args, sizeof(args)) == ASYNC_FINISH);
    REQUIRE(ret == 42 && job == NULL);
    ASYNC_WAIT_CTX_free(ctx);
    REQUIRE(cleaned == 21);
    ASYNC_cleanup_thread();
    return 0;
}
