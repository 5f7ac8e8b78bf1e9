// Tables of text, and numbers in them.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_TEXT_TABLE_H_
#define GHOSTCARD_TOOLS_TEXT_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace tools::text {

// "1.23 us": three significant digits in the unit that fits.
std::string FormatNanoseconds(double ns);
// "25.0 M", "456 k".
std::string FormatCount(double count);

// Pads each column to its widest cell. The first `left_columns` columns are aligned left, the
// others right. The rows may differ in length.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows, size_t left_columns);

}  // namespace tools::text

#endif  // GHOSTCARD_TOOLS_TEXT_TABLE_H_
