// GHOSTCARD_RETURN_BY_JUMP: for functions between whose call and return the stack is switched.
//
// The processor predicts a `ret` from the calls it has seen, and after a switch those were made on
// another stack: each such `ret` is mispredicted, which costs more than the switch. An
// indirect jump is predicted from where it went before, which for a job is nearly always right;
// Boost's jump_fcontext ends with one for the same reason. gcc calls it a return thunk. Elsewhere,
// and where the hardware checks returns, functions return as always.
#ifndef GHOSTCARD_WAITCTX_RETURN_BY_JUMP_H_
#define GHOSTCARD_WAITCTX_RETURN_BY_JUMP_H_

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CET__)
#define GHOSTCARD_RETURN_BY_JUMP __attribute__((function_return("thunk-extern")))
// Weak, hidden, and once in each assembler file: files that include this share one, however the
// program is put together. %rcx holds no result by any convention.
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

#endif  // GHOSTCARD_WAITCTX_RETURN_BY_JUMP_H_
