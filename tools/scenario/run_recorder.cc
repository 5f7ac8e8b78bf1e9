#include "tools/scenario/run_recorder.h"

namespace tools::scenario {

void RunRecorder::Note(EventKind kind, const SimulatedJob& job, uint8_t detail) {
  log_.Append({.at = clock_->Now(),
               .number = job.number,
               .index = job.index,
               .kind = kind,
               .detail = detail});
}

void RunRecorder::Note(EventKind kind) { log_.Append({.at = clock_->Now(), .kind = kind}); }

void RunRecorder::Break(const std::string& rule) {
  Note(EventKind::kBroken);
  constexpr size_t kKept = 100;
  if (result_.broken.size() < kKept) result_.broken.push_back(rule);
  if (watch_.on_broken) watch_.on_broken(rule);
}

void RunRecorder::OutOfPatience() {
  Note(EventKind::kOutOfPatience);
  if (watch_.on_stuck) watch_.on_stuck();
}

}  // namespace tools::scenario
