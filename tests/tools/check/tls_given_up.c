/* Breaks context-freed and job-leaked: a server frees a connection during its handshake. */
#include "tls.h"

static void give_up(struct connection* connection) {
  SSL_free(connection->client);
  SSL_free(connection->server);
  SSL_CTX_free(connection->context);
}

int main(void) {
  struct connection connection;
  connect_in_memory(&connection);
  REQUIRE(handshake(&connection) == SSL_ERROR_WANT_ASYNC);
  give_up(&connection);
  return 0;
}
