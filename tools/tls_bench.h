// TlsBench: the same TLS server without a card, and with one whose completions are told by fd and
// by callback, side by side, repeated in turn; each row is the median repetition.
//
// Threads: Run on the caller's, which becomes the server's.
#ifndef GHOSTCARD_TOOLS_TLS_BENCH_H_
#define GHOSTCARD_TOOLS_TLS_BENCH_H_

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "tools/bench.h"
#include "tools/tls_card.h"
#include "tools/tls_run.h"

namespace tools {

struct TlsBenchOptions {
  TlsCardOptions card;
  std::vector<TlsVersion> versions;
  std::vector<TlsKey> keys;
  std::vector<TlsNotify> notifies;  // with the card; the run without one comes first in each turn
  uint32_t concurrency = 64;        // connections under way
  uint32_t client_threads = 2;
  uint64_t handshakes = 0;  // per run; 0: chosen so that a run takes about `run_time`
  uint32_t repetitions = 3;
  hwsim::Duration run_time = std::chrono::milliseconds(1000);
  // Told what is under way; may be empty.
  std::function<void(const std::string& what, double fraction)> progress;
};

// One run, or the median of several.
struct TlsReport {
  TlsVersion version{};
  TlsKey key{};
  TlsNotify notify{};
  uint32_t concurrency = 0, repetitions = 1;
  uint64_t handshakes = 0, failed = 0;
  double handshakes_per_s = 0, handshakes_per_s_min = 0, handshakes_per_s_max = 0;
  // Median of the repetitions' ratios, each to the run without a card in the same turn; 0: none.
  double ratio_to_no_card = 0;
  Quantiles latency_ns;  // as the client sees it, from connect to the handshake's end
  // Per handshake: of the whole process, of the server's thread, of the clients' threads. What is
  // left is the card's and the completion service's.
  double cpu_ns = 0, server_cpu_ns = 0, client_cpu_ns = 0;
  double pauses = 0;      // per handshake
  uint64_t again = 0;     // pauses because the card was full
  uint64_t software = 0;  // requests that the card would not do, or failed, in all repetitions
};

hwsim::Expected<std::vector<TlsReport>> RunTlsBench(const TlsBenchOptions& options);

std::string TlsTable(std::span<const TlsReport> reports);
// For each version and key: what fd and callback come to beside no card, and whether it was the
// card that did the work.
std::string TlsVerdict(std::span<const TlsReport> reports);
nlohmann::json ToJson(const TlsReport& report);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_TLS_BENCH_H_
