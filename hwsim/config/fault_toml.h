// Reads one [[fault]] table of a configuration file.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_CONFIG_FAULT_TOML_H_
#define GHOSTCARD_HWSIM_CONFIG_FAULT_TOML_H_

#include <cstdint>
#include <string>

#include "hwsim/config/toml_reader.h"
#include "hwsim/faults/fault_plan.h"

namespace hwsim::config {

// `path` ("fault[0].") is put before each key in `mistakes`. When there are mistakes, the rule is
// not to be used.
faults::FaultRule ReadFaultRule(const toml::table& table, const std::string& path,
                                uint32_t queue_pairs_max, TomlMistakes& mistakes);

}  // namespace hwsim::config

#endif  // GHOSTCARD_HWSIM_CONFIG_FAULT_TOML_H_
