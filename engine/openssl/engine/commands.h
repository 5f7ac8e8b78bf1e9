// The ENGINE's control commands: the names that users of the QAT engine script, with the meaning
// that its documentation gives them, and our own for everything that OffloadOptions has.
// engine/openssl/README.md lists them.
#ifndef GHOSTCARD_ENGINE_OPENSSL_ENGINE_COMMANDS_H_
#define GHOSTCARD_ENGINE_OPENSSL_ENGINE_COMMANDS_H_

#include <openssl/engine.h>

#include "engine/openssl/options.h"

namespace engine {

// The sizes from which ciphers and digests go to the card, as `options` and, before them, the
// environment have it. What is wrong in the environment, the start tells.
void SetAllThresholds(OffloadOptions options);

// As ENGINE_set_cmd_defns wants it: ends with an entry of zeros. Lives until the process ends.
const ENGINE_CMD_DEFN* CommandTable();

// As ENGINE_set_ctrl_function wants it. 1: done. 0: not, and why is on the error queue.
int Control(ENGINE* engine, int command, long number, void* pointer, void (*function)());

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_ENGINE_COMMANDS_H_
