/*
 * External polling of the Ghostcard provider's card. The provider API has no call for polling. Link
 * with ghostcard.so, or look the functions up in it with dlsym().
 */
#ifndef GHOSTCARD_ENGINE_OPENSSL_PROVIDER_GHOSTCARD_POLL_H_
#define GHOSTCARD_ENGINE_OPENSSL_PROVIDER_GHOSTCARD_POLL_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Polls every card of the process for completions, at most `quota` per queue pair (0: all), and
 * notifies the jobs that wait for them. Returns the number of completions. Required with
 * completion = inline, harmless otherwise. Threads: any; callbacks run on the calling thread.
 */
size_t ghostcard_poll(size_t quota);

/* Returns the number of requests on the cards of this process, accepted and not completed. */
size_t ghostcard_in_flight(void);

#ifdef __cplusplus
}
#endif

#endif /* GHOSTCARD_ENGINE_OPENSSL_PROVIDER_GHOSTCARD_POLL_H_ */
