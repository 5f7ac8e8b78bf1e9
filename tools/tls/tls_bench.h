// TlsBench: compares one TLS server without a card, with a card and fd notification, and with a
// card and callback notification. The runs take turns; each row is the median repetition.
//
// Threads: RunTlsBench uses the calling thread as the server's.
#ifndef GHOSTCARD_TOOLS_TLS_TLS_BENCH_H_
#define GHOSTCARD_TOOLS_TLS_TLS_BENCH_H_

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "tools/bench/bench.h"
#include "tools/tls/tls_card.h"
#include "tools/tls/tls_run.h"

namespace tools::tls {

struct TlsBenchOptions {
  TlsCardOptions card;
  std::vector<TlsVersion> versions;
  std::vector<TlsKey> keys;
  std::vector<TlsNotify> notifies;  // with the card; each turn begins with a run without a card
  uint32_t concurrency = 64;        // connections open at a time
  uint32_t client_threads = 2;
  uint64_t handshakes = 0;  // per run; 0: as many as take about `run_time`
  uint32_t repetitions = 3;
  hwsim::Duration run_time = std::chrono::milliseconds(1000);
  // Called at the start of each run; may be empty.
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
  // Median over the repetitions of the ratio to the run without a card in the same turn; 0: none.
  double ratio_to_no_card = 0;
  bench::Quantiles latency_ns;  // at the client, from connect to the handshake's end
  // Per handshake: of the whole process, of the server's thread, of the clients' threads. The rest
  // is the time of the card and of the completion service.
  double cpu_ns = 0, server_cpu_ns = 0, client_cpu_ns = 0;
  double pauses = 0;      // per handshake
  uint64_t again = 0;     // pauses because the card was full
  uint64_t software = 0;  // requests done in software: the card refused or failed them; all runs
};

// Fails when the card cannot be loaded, and with the first run that fails.
hwsim::Expected<std::vector<TlsReport>> RunTlsBench(const TlsBenchOptions& options);

std::string TlsTable(std::span<const TlsReport> reports);
// For each version and key: the ratio of fd and callback notification to no card, and how many
// requests were done in software.
std::string TlsVerdict(std::span<const TlsReport> reports);
nlohmann::json ToJson(const TlsReport& report);

}  // namespace tools::tls

#endif  // GHOSTCARD_TOOLS_TLS_TLS_BENCH_H_
