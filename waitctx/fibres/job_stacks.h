// The source of the stacks of this process's jobs: one StackPool, or the functions that the
// application gave to OpenSSL's ASYNC_set_mem_functions.
//
// Threads: any. The choice is the process's, as in OpenSSL.
// Ownership: a Stack belongs to the caller until FreeJobStack.
#ifndef GHOSTCARD_WAITCTX_FIBRES_JOB_STACKS_H_
#define GHOSTCARD_WAITCTX_FIBRES_JOB_STACKS_H_

#include <cstddef>
#include <optional>

#include "waitctx/fibres/stack_pool.h"

namespace waitctx::fibres {

// Allocates a stack of at least `*size` bytes and sets `*size` to its size. Null: no memory.
using StackAllocFn = void* (*)(size_t* size);
using StackFreeFn = void (*)(void* stack);

// Replaces the functions; null keeps the present one. False: a stack exists already, and nothing
// has changed. This layer adds no guard page to stacks from the application's functions.
bool SetStackFunctions(StackAllocFn alloc, StackFreeFn free);
// The present functions. Until SetStackFunctions they are the pool's, which any code may call.
void GetStackFunctions(StackAllocFn& alloc, StackFreeFn& free);

// nullopt: no memory. The caller returns the stack with FreeJobStack.
std::optional<Stack> AllocateJobStack();
void FreeJobStack(const Stack& stack);

}  // namespace waitctx::fibres

#endif  // GHOSTCARD_WAITCTX_FIBRES_JOB_STACKS_H_
