#include <dlfcn.h>
#include <openssl/async.h>
#include <openssl/evp.h>
#include <stdio.h>

static unsigned char hash[32];

static int hash_a_megabyte(void* data) {
  return EVP_Digest(*(void**)data, 1 << 20, hash, NULL, EVP_sha256(), NULL);
}

/* Arguments: the provider's file. Environment: OPENSSL_CONF, GHOSTCARD_COMPLETION=inline. */
int main(int argc, char** argv) {
  static unsigned char megabyte[1 << 20];
  void *data = megabyte, *provider = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
  size_t (*ghostcard_poll)(size_t) = NULL;
  ASYNC_WAIT_CTX* ctx = ASYNC_WAIT_CTX_new();
  ASYNC_JOB* job = NULL;
  int result = 0;
  if (provider != NULL) *(void**)&ghostcard_poll = dlsym(provider, "ghostcard_poll");
  if (ghostcard_poll == NULL || ctx == NULL) return 1;
  while (ASYNC_start_job(&job, ctx, &result, hash_a_megabyte, &data, sizeof(data)) == ASYNC_PAUSE)
    while (ghostcard_poll(0) == 0) continue; /* an event loop would do other things here */
  printf("SHA-256 of a megabyte of zeros starts with %02x\n", hash[0]);
  ASYNC_WAIT_CTX_free(ctx);
  return result == 1 ? 0 : 1;
}
