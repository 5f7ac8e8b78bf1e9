#!/bin/sh
# The shared libraries have OpenSSL's names and no others, and ask for nothing of OpenSSL's.
set -eu
expected="
ASYNC_WAIT_CTX_clear_fd ASYNC_WAIT_CTX_free ASYNC_WAIT_CTX_get_all_fds
ASYNC_WAIT_CTX_get_callback ASYNC_WAIT_CTX_get_changed_fds ASYNC_WAIT_CTX_get_fd
ASYNC_WAIT_CTX_get_status ASYNC_WAIT_CTX_new ASYNC_WAIT_CTX_set_callback
ASYNC_WAIT_CTX_set_status ASYNC_WAIT_CTX_set_wait_fd ASYNC_block_pause ASYNC_cleanup_thread
ASYNC_get_current_job ASYNC_get_mem_functions ASYNC_get_wait_ctx ASYNC_init_thread
ASYNC_is_capable ASYNC_pause_job ASYNC_set_mem_functions ASYNC_start_job ASYNC_unblock_pause"
expected=$(echo "$expected" | tr ' ' '\n' | grep . | sort)
for library in waitctx/libwaitctx_async.so waitctx/check/libwaitctx_check.so; do
  got=$(nm -D --defined-only "$library" | awk '{print $3}' | sort)
  if [ "$expected" != "$got" ]; then
    echo "$library exports:"
    echo "$got"
    exit 1
  fi
  if readelf -d "$library" | grep NEEDED | grep -E 'libcrypto|libssl'; then
    echo "$library needs OpenSSL"
    exit 1
  fi
done
