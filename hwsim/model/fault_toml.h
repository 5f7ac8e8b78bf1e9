// Reads one [[fault]] table of a configuration file.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_MODEL_FAULT_TOML_H_
#define GHOSTCARD_HWSIM_MODEL_FAULT_TOML_H_

#include <cstdint>
#include <string>

#include "hwsim/model/fault_plan.h"
#include "hwsim/model/toml_reader.h"

namespace hwsim {

// `path` ("fault[0].") is put before each key in `mistakes`. When there are mistakes, the rule is
// not to be used.
FaultRule ReadFaultRule(const toml::table& table, const std::string& path, uint32_t queue_pairs_max,
                        TomlMistakes& mistakes);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_FAULT_TOML_H_
