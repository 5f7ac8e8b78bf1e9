#include "waitctx/check/cleared_fds.h"

namespace waitctx::check {

std::optional<ClearedFds::LeftOpen> ClearedFds::OnSet(int fd, const CallStack* set_at) {
  for (auto& [at, cleared] : cleared_) {
    const auto same = cleared.find(fd);
    if (same == cleared.end()) continue;
    if (same->second.file == IdentityOf(fd)) reused_.insert({at, set_at});
    cleared.erase(same);
  }
  if (reused_.count(set_at) != 0) return std::nullopt;
  const auto found = cleared_.find(set_at);
  if (found == cleared_.end()) return std::nullopt;
  std::map<int, Cleared>& cleared = found->second;
  if (static_cast<int64_t>(cleared.size()) < kLeftOpenMin) return std::nullopt;
  for (auto entry = cleared.begin(); entry != cleared.end();) {
    const bool open = IdentityOf(entry->first) == entry->second.file;
    entry = open ? std::next(entry) : cleared.erase(entry);
  }
  const auto count = static_cast<int64_t>(cleared.size());
  if (count < kLeftOpenMin) return std::nullopt;
  return LeftOpen{cleared.begin()->second.cleared_at, count};
}

void ClearedFds::OnCleared(int fd, const CallStack* set_at, const CallStack* cleared_at) {
  const FileIdentity file = IdentityOf(fd);
  if (file.known()) cleared_[set_at][fd] = {file, cleared_at};
}

}  // namespace waitctx::check
