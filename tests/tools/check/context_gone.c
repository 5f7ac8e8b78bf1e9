/* Breaks context-gone twice: the callback of a freed context is read, then the context is freed
 * again. */
#include "program.h"

static void complete(ASYNC_WAIT_CTX* ctx) {
  ASYNC_callback_fn callback;
  void* argument;
  REQUIRE(!ASYNC_WAIT_CTX_get_callback(ctx, &callback, &argument));
}

static void finish(ASYNC_WAIT_CTX* ctx) { ASYNC_WAIT_CTX_free(ctx); }

int main(void) {
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  finish(ctx);
  complete(ctx);
  ASYNC_WAIT_CTX_free(ctx);
  return 0;
}
