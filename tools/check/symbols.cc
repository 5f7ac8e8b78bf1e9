#include "tools/check/symbols.h"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <cstdlib>
#include <map>
#include <utility>

namespace tools::check {
namespace {

std::string Demangled(const char* name) {
  int status = 0;
  char* plain = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string text = plain == nullptr ? name : plain;
  std::free(plain);
  return text;
}

// The name of an inlined function.
std::string NameOf(Dwarf_Die* function) {
  Dwarf_Attribute attribute;
  for (const unsigned what : {DW_AT_linkage_name, DW_AT_name}) {
    const char* name = dwarf_formstring(dwarf_attr_integrate(function, what, &attribute));
    if (name != nullptr) return Demangled(name);
  }
  return {};
}

uint64_t NumberOf(Dwarf_Die* function, unsigned what) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  dwarf_formudata(dwarf_attr(function, what, &attribute), &value);
  return value;
}

// The compilation unit of `address`; nullptr: there is none. clang writes no table of address
// ranges: without it, looks at each unit.
Dwarf_Die* UnitOf(Dwfl_Module* module, uint64_t address, Dwarf_Addr& bias) {
  Dwarf_Die* unit = dwfl_module_addrdie(module, address, &bias);
  if (unit != nullptr) return unit;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) {
    if (dwarf_haspc(unit, address - bias) > 0) return unit;
  }
  return nullptr;
}

// `places` has the line of `address`, with the name of the function that was not inlined. Inserts
// the functions inlined there before it, each with its own line. `address` is one of the unit's
// file.
void AddInlined(Dwarf_Die* unit, uint64_t address, std::vector<SourcePlace>& places) {
  Dwarf_Die* innermost = nullptr;
  if (dwarf_getscopes(unit, address, &innermost) <= 0) return;
  Dwarf_Die* scopes = nullptr;
  const int count = dwarf_getscopes_die(&innermost[0], &scopes);
  std::free(innermost);
  Dwarf_Files* files = nullptr;
  dwarf_getsrcfiles(unit, &files, nullptr);
  for (int i = 0; i < count; ++i) {
    const int tag = dwarf_tag(&scopes[i]);
    if (tag == DW_TAG_subprogram) break;
    if (tag != DW_TAG_inlined_subroutine) continue;
    // The last place is the outer function with the innermost line, which belongs to this one.
    SourcePlace outer = places.back();
    places.back().function = NameOf(&scopes[i]);
    const char* file =
        dwarf_filesrc(files, NumberOf(&scopes[i], DW_AT_call_file), nullptr, nullptr);
    outer.file = file == nullptr ? "" : file;
    outer.line = static_cast<int>(NumberOf(&scopes[i], DW_AT_call_line));
    places.push_back(std::move(outer));
  }
  std::free(scopes);
}

}  // namespace

// One session for each file: the files' addresses would overlap in a common session.
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

std::vector<SourcePlace> Symbols::Find(const std::string& path, uint64_t address) {
  std::vector<SourcePlace> places(1);
  Dwfl_Module* const module = files_->Open(path).module;
  if (module == nullptr) return places;
  GElf_Off offset = 0;
  GElf_Sym symbol;
  const char* name =
      dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
  if (name != nullptr) places.back().function = Demangled(name);
  Dwarf_Addr bias = 0;
  Dwarf_Die* const unit = UnitOf(module, address, bias);
  if (unit == nullptr) return places;
  if (Dwarf_Line* line = dwarf_getsrc_die(unit, address - bias); line != nullptr) {
    dwarf_lineno(line, &places.back().line);
    if (const char* file = dwarf_linesrc(line, nullptr, nullptr); file != nullptr) {
      places.back().file = file;
    }
  }
  AddInlined(unit, address - bias, places);
  return places;
}

}  // namespace tools::check
