#include "tools/symbols.h"

#include <cxxabi.h>
#include <elfutils/libdwfl.h>

#include <cstdlib>
#include <map>

namespace tools {
namespace {

std::string Demangled(const char* name) {
  int status = 0;
  char* plain = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string text = plain == nullptr ? name : plain;
  std::free(plain);
  return text;
}

}  // namespace

// Each file in a session of its own, at its own addresses: they would overlap in one.
struct Symbols::Files {
  struct File {
    Dwfl* session = nullptr;
    Dwfl_Module* module = nullptr;
  };

  ~Files() {
    for (auto& [path, file] : by_path) dwfl_end(file.session);
  }
  File& Open(const std::string& path) {
    const auto [entry, made] = by_path.try_emplace(path);
    File& file = entry->second;
    if (!made) return file;
    file.session = dwfl_begin(&callbacks);
    if (file.session == nullptr) return file;
    dwfl_report_begin(file.session);
    file.module =
        dwfl_report_elf(file.session, path.c_str(), path.c_str(), -1, 0, /*add_p_vaddr=*/true);
    dwfl_report_end(file.session, nullptr, nullptr);
    return file;
  }

  char* debug_path = nullptr;
  Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                              .find_debuginfo = dwfl_standard_find_debuginfo,
                              .section_address = dwfl_offline_section_address,
                              .debuginfo_path = &debug_path};
  std::map<std::string, File> by_path;
};

Symbols::Symbols() : files_(std::make_unique<Files>()) {}
Symbols::~Symbols() = default;

Place Symbols::Find(const std::string& path, uint64_t address) {
  Place place;
  Dwfl_Module* const module = files_->Open(path).module;
  if (module == nullptr) return place;
  GElf_Off offset = 0;
  GElf_Sym symbol;
  const char* name =
      dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
  if (name != nullptr) place.function = Demangled(name);
  if (Dwfl_Line* line = dwfl_module_getsrc(module, address); line != nullptr) {
    const char* file = dwfl_lineinfo(line, nullptr, &place.line, nullptr, nullptr, nullptr);
    if (file != nullptr) place.file = file;
  }
  return place;
}

}  // namespace tools
