/*
 * External polling of the card behind the Ghostcard provider, which the provider API has no call
 * for. Link with ghostcard.so, or look the name up in it with dlsym().
 */
#ifndef GHOSTCARD_POLL_H_
#define GHOSTCARD_POLL_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Looks for completions on every card of the process and tells who waits for them, at most `quota`
 * per queue pair (0: all). Needed with completion = inline, harmless otherwise. Returns how many.
 * From any thread; callbacks run on the calling one.
 */
size_t ghostcard_poll(size_t quota);

/* Requests on the cards of this process, accepted and not completed. */
size_t ghostcard_in_flight(void);

#ifdef __cplusplus
}
#endif

#endif /* GHOSTCARD_POLL_H_ */
