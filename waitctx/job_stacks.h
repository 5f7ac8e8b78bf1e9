// Where the jobs of this process get their stacks: from one StackPool, or from the functions
// that the application gave (OpenSSL's ASYNC_set_mem_functions).
//
// Threads: any. Process-wide, because OpenSSL's call is.
#ifndef GHOSTCARD_WAITCTX_JOB_STACKS_H_
#define GHOSTCARD_WAITCTX_JOB_STACKS_H_

#include <cstddef>
#include <optional>

#include "waitctx/stack_pool.h"

namespace waitctx {

// `size` says how much is wanted, and is set to how much there is. Null: no memory.
using StackAllocFn = void* (*)(size_t* size);
using StackFreeFn = void (*)(void* stack);

// Replaces the functions; a null one stays as it is. False: a stack exists already, and nothing
// has changed. Stacks of one's own have no guard but what their maker gives them.
bool SetStackFunctions(StackAllocFn alloc, StackFreeFn free);
// Those in force; at first the pool's, which may be called by others too.
void GetStackFunctions(StackAllocFn& alloc, StackFreeFn& free);

// nullopt: no memory.
std::optional<Stack> AllocateJobStack();
void FreeJobStack(const Stack& stack);

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_JOB_STACKS_H_
