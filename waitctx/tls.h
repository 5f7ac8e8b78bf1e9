// GHOSTCARD_TLS: a thread-local variable of this layer: small, constant-initialised, without
// destructor, and not static: it stands in a named namespace.
//
// initial-exec spares a call to __tls_get_addr at each use, which in a shared library costs
// as much as half a job switch. The C library keeps room for such variables of libraries
// that are loaded late; ours are a few words in all. Hidden, but with external linkage: the gold
// linker gives static ones the place of others when a shared library has both kinds.
#ifndef GHOSTCARD_WAITCTX_TLS_H_
#define GHOSTCARD_WAITCTX_TLS_H_

#define GHOSTCARD_TLS __attribute__((visibility("hidden"), tls_model("initial-exec"))) thread_local
// The same for one that several files use inline, which may be shared libraries apart.
#define GHOSTCARD_SHARED_TLS __attribute__((tls_model("initial-exec"))) thread_local

#endif  // GHOSTCARD_WAITCTX_TLS_H_
