// GHOSTCARD_RETURN_BY_JUMP: for functions that switch stacks between their call and their return.
//
// The processor predicts a `ret` from the calls that it has seen. After a switch, these calls were
// made on another stack, so each such `ret` is mispredicted, which costs more than the switch. An
// indirect jump is predicted from its last target, which for a job is nearly always right; Boost's
// jump_fcontext ends with an indirect jump for the same reason. gcc calls such a return a return
// thunk. Other compilers, and hardware that checks returns, get an ordinary return.
#ifndef GHOSTCARD_WAITCTX_FIBRES_RETURN_BY_JUMP_H_
#define GHOSTCARD_WAITCTX_FIBRES_RETURN_BY_JUMP_H_

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CET__)
#define GHOSTCARD_RETURN_BY_JUMP __attribute__((function_return("thunk-extern")))
// Weak and hidden, once in each assembler file: all files of a program or library share one thunk.
// No calling convention returns a result in %rcx.
asm(R"(
  .ifndef __x86_return_thunk
  .pushsection .text
  .weak __x86_return_thunk
  .hidden __x86_return_thunk
  .type __x86_return_thunk, @function
  .p2align 4
__x86_return_thunk:
  popq %rcx
  jmp *%rcx
  .size __x86_return_thunk, . - __x86_return_thunk
  .popsection
  .endif
)");
#else
#define GHOSTCARD_RETURN_BY_JUMP
#endif

#endif  // GHOSTCARD_WAITCTX_FIBRES_RETURN_BY_JUMP_H_
