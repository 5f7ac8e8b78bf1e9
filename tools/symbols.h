// Symbols: functions and source lines for addresses in programs and libraries, from their symbol
// tables and debug information (also in separate files, where the system keeps them).
//
// Threads: one. Ownership: opened files are closed with the object.
#ifndef GHOSTCARD_TOOLS_SYMBOLS_H_
#define GHOSTCARD_TOOLS_SYMBOLS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tools {

struct Place {
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

  // The place, and where a function is that the compiler put into another, its callers up to the
  // one that is there: innermost first, at least one. `address`: as in the file `path`. What is not
  // known stays empty; there are no errors.
  std::vector<Place> Find(const std::string& path, uint64_t address);

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SYMBOLS_H_
