// TlsBenchArguments: what `ghostcard bench --tls` has besides the arguments of bench, and how it
// runs.
//
// Threads: the program's main one.
#ifndef GHOSTCARD_TOOLS_CLI_TLS_BENCH_ARGUMENTS_H_
#define GHOSTCARD_TOOLS_CLI_TLS_BENCH_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <vector>

#include "tools/bench/bench.h"
#include "tools/cli/common_arguments.h"
#include "tools/tls/tls_identity.h"
#include "tools/tls/tls_server.h"

namespace tools::cli {

struct TlsBenchArguments {
  bool wanted = false;
  std::vector<tls::TlsVersion> versions = {tls::TlsVersion::k12, tls::TlsVersion::k13};
  std::vector<tls::TlsKey> keys = {tls::TlsKey::kRsa2048, tls::TlsKey::kRsa4096,
                                   tls::TlsKey::kEcdsaP256};
  uint32_t client_threads = 2;

  // Adds the arguments. `this` outlives the parse. Requires: bench's other options are added.
  void AddTo(CLI::App& app);
};

// Runs the comparison; returns the program's exit code.
int RunTlsBenchCommand(CommonArguments& common, const bench::BenchOptions& bench,
                       const TlsBenchArguments& tls);

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_TLS_BENCH_ARGUMENTS_H_
