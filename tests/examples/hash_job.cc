#include <poll.h>

#include <cstdio>

#include "engine/engine.h"
#include "hwsim/card/real_card.h"
#include "hwsim/config/profile_toml.h"
#include "waitctx/job.h"

int main() {
  // A simulated card, and an engine that notices its completions by interrupt.
  auto card =
      hwsim::card::RealCard::Create({.profile = hwsim::config::ShippedProfile("qat-4xxx").value()});
  auto engine = engine::Engine::Create(std::move(card.value()), {}).value();

  auto context = waitctx::WaitContext::Create();
  engine::Operation<hwsim::operations::Sha256> hash(std::as_bytes(std::span("abc", 3)));
  waitctx::Fibre job(context, [&] { return engine->Run(hash) == engine::Outcome::kOk ? 0 : 1; });
  while (job.paused()) {  // an event loop would do other things here
    pollfd wait{.events = POLLIN};
    context->CopyWaitFds(std::span(&wait.fd, 1));
    poll(&wait, 1, -1);
    if (job.Resume() == waitctx::JobStatus::kError) return 1;
  }
  context->Close();
  std::printf("SHA-256(\"abc\") starts with %02x\n", std::to_integer<int>(hash->digest()[0]));
  return job.result();
}
