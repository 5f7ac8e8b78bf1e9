// The events of a run as a trace for Perfetto (ui.perfetto.dev) and chrome://tracing. A job has a
// track with its operations and waits; a queue pair has a track with the requests on the card.
//
// Threads: any. Format: Chrome's trace event format, JSON object.
#ifndef GHOSTCARD_TOOLS_SIMULATE_RUN_TRACE_H_
#define GHOSTCARD_TOOLS_SIMULATE_RUN_TRACE_H_

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "tools/scenario/event_log.h"

namespace tools::simulate {

nlohmann::json RunTrace(std::span<const scenario::Event> events);

}  // namespace tools::simulate

#endif  // GHOSTCARD_TOOLS_SIMULATE_RUN_TRACE_H_
