#include "tools/scenario/simulated_system.h"

#include <utility>

namespace tools::scenario {

SimulatedSystem::SimulatedSystem(const ScenarioOptions& options, RunRecorder& recorder)
    : options_(options),
      recorder_(recorder),
      random_(hwsim::Random(options.seed).Fork(kRandomStream)),
      rings_(
          recorder.log(), [this](const std::string& rule) { recorder_.Break(rule); },
          [this](uint32_t queue_pair, const hwsim::operations::Request&) {
            invariants_.OnPushed(queue_pair, running_);
          }),
      invariants_(options, rings_, recorder.log(),
                  [this](const std::string& rule) { recorder_.Break(rule); }) {}

hwsim::Expected<void> SimulatedSystem::Create() {
  auto card = hwsim::card::VirtualCard::Create(
      {.profile = options_.card,
       .queue_pairs = options_.queue_pairs,
       .depth = options_.depth,
       .seed = options_.seed,
       .wrap_channel = [this](uint32_t queue_pair, std::unique_ptr<hwsim::rings::Channel> channel) {
         return rings_.Watch(queue_pair, std::move(channel));
       }});
  if (!card) return hwsim::Unexpected(std::move(card.error()));
  card_ = card->get();
  recorder_.SetClock(card_->clock());
  rings_.Start(*card_, options_.depth != 0 ? options_.depth : options_.card.depth);
  invariants_.Start(*card_);
  if (options_.lists != 0) {
    bare_card_ = std::move(*card);
    return {};
  }
  engine::Engine::Options engine = options_.engine;
  engine.completion = hwsim::completion::CompletionMode::kInline;
  auto created = engine::Engine::Create(std::move(*card), engine);
  if (!created) return hwsim::Unexpected(std::move(created.error()));
  engine_ = std::move(*created);
  // An inline engine turns interrupts off; an application that polls on interrupts needs them.
  card_->SetInterrupts(options_.poll == ScenarioPoll::kOnInterrupt);
  return {};
}

const SimulatedJob* SimulatedSystem::SetRunning(const SimulatedJob* job) {
  return std::exchange(running_, job);
}

void SimulatedSystem::AdvanceTo(hwsim::TimePoint to) {
  card_->AdvanceTo(to);
  rings_.CheckCardState();
}

void SimulatedSystem::ResetCard() {
  recorder_.Note(EventKind::kOperatorReset);
  invariants_.OnReset();
  card_->Reset();
  rings_.CheckCardState();
}

}  // namespace tools::scenario
