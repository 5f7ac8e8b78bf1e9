// OutOfDescriptors: the error of a load that needs more file descriptors than the process may open.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_LOAD_OUT_OF_DESCRIPTORS_H_
#define GHOSTCARD_TOOLS_LOAD_OUT_OF_DESCRIPTORS_H_

#include <cstdint>
#include <string_view>

#include "hwsim/base/error.h"

namespace tools::load {

// Whether `error` came from a system call that found no free descriptor.
bool IsOutOfDescriptors(const hwsim::Error& error);

// "no file descriptors left for 200 jobs", and what the user can do about it. `items`: what the
// load runs `concurrency` of, in the plural. `callback_needs_fewer`: the load opens a wait fd for
// each item, which callback notification does not need.
hwsim::Error OutOfDescriptors(uint32_t concurrency, std::string_view items,
                              bool callback_needs_fewer);

}  // namespace tools::load

#endif  // GHOSTCARD_TOOLS_LOAD_OUT_OF_DESCRIPTORS_H_
