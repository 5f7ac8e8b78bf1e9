// The ENGINE's control commands: the commands of the QAT engine, with the meaning that its
// documentation gives them, and a command for each of OffloadOptions.
// engine/openssl/README.md lists them.
//
// Threads: any.
#ifndef GHOSTCARD_ENGINE_OPENSSL_ENGINE_COMMANDS_H_
#define GHOSTCARD_ENGINE_OPENSSL_ENGINE_COMMANDS_H_

#include <openssl/engine.h>

#include "engine/openssl/options.h"

namespace engine::openssl::engine {

// Sets the thresholds of all ciphers and digests from `options`; values in the environment take
// precedence. Ignores errors in the environment, because Module::Start reports them.
void SetAllThresholds(OffloadOptions options);

// The table for ENGINE_set_cmd_defns; its last entry is all zeros. It lives until the process ends.
const ENGINE_CMD_DEFN* CommandTable();

// The function for ENGINE_set_ctrl_function. Returns 1 when the command is done, and 0 when it
// failed; then the thread's error queue says why.
int Control(ENGINE* engine, int command, long number, void* pointer, void (*function)());

}  // namespace engine::openssl::engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_ENGINE_COMMANDS_H_
