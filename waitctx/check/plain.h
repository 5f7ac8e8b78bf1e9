// The wait layer's C API under the prefix Plain_, with the types of OpenSSL's names.
#ifndef GHOSTCARD_WAITCTX_CHECK_PLAIN_H_
#define GHOSTCARD_WAITCTX_CHECK_PLAIN_H_

#include "waitctx/include/openssl/async.h"

extern "C" {

decltype(ASYNC_WAIT_CTX_clear_fd) Plain_ASYNC_WAIT_CTX_clear_fd;
decltype(ASYNC_WAIT_CTX_free) Plain_ASYNC_WAIT_CTX_free;
decltype(ASYNC_WAIT_CTX_get_all_fds) Plain_ASYNC_WAIT_CTX_get_all_fds;
decltype(ASYNC_WAIT_CTX_get_callback) Plain_ASYNC_WAIT_CTX_get_callback;
decltype(ASYNC_WAIT_CTX_get_changed_fds) Plain_ASYNC_WAIT_CTX_get_changed_fds;
decltype(ASYNC_WAIT_CTX_get_fd) Plain_ASYNC_WAIT_CTX_get_fd;
decltype(ASYNC_WAIT_CTX_get_status) Plain_ASYNC_WAIT_CTX_get_status;
decltype(ASYNC_WAIT_CTX_new) Plain_ASYNC_WAIT_CTX_new;
decltype(ASYNC_WAIT_CTX_set_callback) Plain_ASYNC_WAIT_CTX_set_callback;
decltype(ASYNC_WAIT_CTX_set_status) Plain_ASYNC_WAIT_CTX_set_status;
decltype(ASYNC_WAIT_CTX_set_wait_fd) Plain_ASYNC_WAIT_CTX_set_wait_fd;
decltype(ASYNC_block_pause) Plain_ASYNC_block_pause;
decltype(ASYNC_cleanup_thread) Plain_ASYNC_cleanup_thread;
decltype(ASYNC_get_current_job) Plain_ASYNC_get_current_job;
decltype(ASYNC_get_mem_functions) Plain_ASYNC_get_mem_functions;
decltype(ASYNC_get_wait_ctx) Plain_ASYNC_get_wait_ctx;
decltype(ASYNC_init_thread) Plain_ASYNC_init_thread;
decltype(ASYNC_is_capable) Plain_ASYNC_is_capable;
decltype(ASYNC_pause_job) Plain_ASYNC_pause_job;
decltype(ASYNC_set_mem_functions) Plain_ASYNC_set_mem_functions;
decltype(ASYNC_start_job) Plain_ASYNC_start_job;
decltype(ASYNC_unblock_pause) Plain_ASYNC_unblock_pause;

}  // extern "C"

#endif  // GHOSTCARD_WAITCTX_CHECK_PLAIN_H_
