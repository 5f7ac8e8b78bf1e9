/* Breaks no rule: a server polls the wait fd of each handshake before it resumes it. */
#include <poll.h>

#include "tls.h"

static void wait_for_job(SSL* server) {
  struct pollfd wait = {.events = POLLIN};
  size_t count = 0;
  REQUIRE(SSL_get_all_async_fds(server, NULL, &count) && count == 1);
  REQUIRE(SSL_get_all_async_fds(server, &wait.fd, &count));
  REQUIRE(poll(&wait, 1, -1) == 1);
}

int main(void) {
  int i;
  for (i = 0; i < 3; i++) {
    struct connection connection;
    int state;
    connect_in_memory(&connection);
    while ((state = handshake(&connection)) == SSL_ERROR_WANT_ASYNC)
      wait_for_job(connection.server);
    REQUIRE(state == SSL_ERROR_NONE);
    SSL_free(connection.client);
    SSL_free(connection.server);
    SSL_CTX_free(connection.context);
  }
  return 0;
}
