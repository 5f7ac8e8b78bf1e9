#!/bin/sh
# The shared library has OpenSSL's names and no others, and asks for nothing of OpenSSL's.
set -eu
library=waitctx/libwaitctx_async.so
expected="
ASYNC_WAIT_CTX_clear_fd ASYNC_WAIT_CTX_free ASYNC_WAIT_CTX_get_all_fds
ASYNC_WAIT_CTX_get_callback ASYNC_WAIT_CTX_get_changed_fds ASYNC_WAIT_CTX_get_fd
ASYNC_WAIT_CTX_get_status ASYNC_WAIT_CTX_new ASYNC_WAIT_CTX_set_callback
ASYNC_WAIT_CTX_set_status ASYNC_WAIT_CTX_set_wait_fd ASYNC_block_pause ASYNC_cleanup_thread
ASYNC_get_current_job ASYNC_get_mem_functions ASYNC_get_wait_ctx ASYNC_init_thread
ASYNC_is_capable ASYNC_pause_job ASYNC_set_mem_functions ASYNC_start_job ASYNC_unblock_pause"
expected=$(printf '%s\n' $expected | sort)
got=$(nm -D --defined-only "$library" | awk '{print $3}' | sort)
if [ "$expected" != "$got" ]; then
  echo "exported:"
  echo "$got"
  exit 1
fi
if readelf -d "$library" | grep NEEDED | grep -E 'libcrypto|libssl'; then
  echo "needs OpenSSL"
  exit 1
fi
