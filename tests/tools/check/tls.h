/*
 * A TLS handshake in memory. The server is in SSL_MODE_ASYNC: its handshake runs in a job, and the
 * certificate callback plays an engine's operation that pauses the job.
 */
#ifndef GHOSTCARD_TESTS_TOOLS_CHECK_TLS_H_
#define GHOSTCARD_TESTS_TOOLS_CHECK_TLS_H_

#include <openssl/ssl.h>

#include "program.h"

UNUSED static void close_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD fd, void* data) {
  (void)ctx;
  (void)key;
  (void)data;
  close(fd);
}

UNUSED static int operate(SSL* ssl, void* arg) {
  int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC); /* the card completes at once */
  eventfd_t count;
  (void)ssl;
  (void)arg;
  REQUIRE(ASYNC_get_current_job() != NULL);
  ASYNC_WAIT_CTX_set_wait_fd(current_context(), "engine", fd, NULL, close_fd);
  ASYNC_WAIT_CTX_set_status(current_context(), ASYNC_STATUS_OK);
  ASYNC_pause_job();
  REQUIRE(eventfd_read(fd, &count) == 0);
  return 1;
}

struct connection {
  SSL_CTX* context;
  SSL *client, *server;
};

/* Anonymous Diffie-Hellman: no certificate is needed. */
UNUSED static void connect_in_memory(struct connection* connection) {
  BIO *left, *right;
  connection->context = SSL_CTX_new(TLS_method());
  REQUIRE(SSL_CTX_set_max_proto_version(connection->context, TLS1_2_VERSION));
  REQUIRE(SSL_CTX_set_cipher_list(connection->context, "ADH-AES128-SHA256:@SECLEVEL=0"));
  SSL_CTX_set_dh_auto(connection->context, 1);
  REQUIRE(BIO_new_bio_pair(&left, 0, &right, 0));
  connection->client = SSL_new(connection->context);
  connection->server = SSL_new(connection->context);
  SSL_set_bio(connection->client, left, left);
  SSL_set_bio(connection->server, right, right);
  SSL_set_connect_state(connection->client);
  SSL_set_accept_state(connection->server);
  SSL_set_cert_cb(connection->server, operate, NULL);
  SSL_set_mode(connection->server, SSL_MODE_ASYNC);
}

/* Runs both sides until the server's handshake ends, or its job pauses. */
UNUSED static int handshake(struct connection* connection) {
  for (;;) {
    int done;
    SSL_do_handshake(connection->client);
    done = SSL_do_handshake(connection->server);
    if (done == 1) return SSL_ERROR_NONE;
    if (SSL_get_error(connection->server, done) != SSL_ERROR_WANT_READ) {
      return SSL_get_error(connection->server, done);
    }
  }
}

#endif /* GHOSTCARD_TESTS_TOOLS_CHECK_TLS_H_ */
