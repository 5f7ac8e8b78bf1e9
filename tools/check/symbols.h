// Symbols: functions and source lines for addresses in programs and libraries, from symbol tables
// and debug information, also from separate debug files where the system keeps them.
//
// Threads: one. Ownership: the destructor closes the opened files.
#ifndef GHOSTCARD_TOOLS_CHECK_SYMBOLS_H_
#define GHOSTCARD_TOOLS_CHECK_SYMBOLS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tools::check {

// A place in the source.
struct SourcePlace {
  std::string function;  // demangled; empty: not known
  std::string file;      // empty: not known
  int line = 0;          // 0: not known
};

class Symbols {
 public:
  Symbols();
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  // The place of `address` in the file `path`. If the compiler inlined a function there, also its
  // callers up to the function that was not inlined: innermost first, at least one. Unknown fields
  // stay empty; there are no errors.
  std::vector<SourcePlace> Find(const std::string& path, uint64_t address);

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace tools::check

#endif  // GHOSTCARD_TOOLS_CHECK_SYMBOLS_H_
