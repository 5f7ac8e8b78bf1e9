// GHOSTCARD_TLS: declares a thread-local variable of this layer. The variable must be small,
// constant initialised, without destructor, and in a named namespace, not static.
//
// initial-exec avoids a call to __tls_get_addr at each use, which in a shared library costs half as
// much as a job switch. The C library reserves room for such variables of libraries that are loaded
// late; this layer's take a few words. Hidden, but with external linkage: in a shared library with
// both kinds, the gold linker gives static ones the address of others.
#ifndef GHOSTCARD_WAITCTX_BASE_TLS_H_
#define GHOSTCARD_WAITCTX_BASE_TLS_H_

#define GHOSTCARD_TLS __attribute__((visibility("hidden"), tls_model("initial-exec"))) thread_local
// For a variable that inline functions use in several files, perhaps of different shared libraries.
#define GHOSTCARD_SHARED_TLS __attribute__((tls_model("initial-exec"))) thread_local

#endif  // GHOSTCARD_WAITCTX_BASE_TLS_H_
