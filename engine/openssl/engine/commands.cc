#include "engine/openssl/engine/commands.h"

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "engine/openssl/engine/methods.h"
#include "engine/openssl/engine/module.h"
#include "hwsim/base/parse_number.h"

namespace engine::openssl::engine {

namespace {

using hwsim::Expected;
using hwsim::Unexpected;
using Settings = Module::Settings;

// The arguments of a command: ENGINE_ctrl_cmd's third and fourth.
struct Input {
  long number;
  void* pointer;
};

struct Command {
  const char* name;
  const char* description;
  unsigned int flags;
  Expected<void> (*run)(Input);
};

// --- what commands share ---

template <typename Change>
Expected<void> ChangeSettings(Change change) {
  return Module::Get().Change([&](Settings& settings) -> Expected<void> {
    change(settings);
    return {};
  });
}

Expected<void> InRange(const char* name, long number, long low, long high) {
  if (number >= low && number <= high) return {};
  return Unexpected(std::string(name) + ": " + std::to_string(number) +
                    " given; allowed: " + std::to_string(low) + " to " + std::to_string(high));
}

Expected<std::string_view> Text(const char* name, Input input, size_t bytes_max) {
  const auto* const text = static_cast<const char*>(input.pointer);
  if (text == nullptr || *text == '\0' || std::strlen(text) >= bytes_max) {
    return Unexpected(std::string(name) + ": a string of 1 to " + std::to_string(bytes_max - 1) +
                      " bytes is needed");
  }
  return text;
}

Expected<void> NeedsPointer(const char* name, Input input) {
  if (input.pointer != nullptr) return {};
  return Unexpected(std::string(name) + ": needs a pointer for the answer");
}

// This process's engine; makes it if there is none. Fails before the start.
Expected<Engine*> StartedEngine(const char* name) {
  Offload* const offload = Module::Get().offload();
  if (offload == nullptr) {
    return Unexpected(std::string(name) + ": the engine has not started; call ENGINE_init first");
  }
  Engine* const engine = offload->engine();
  if (engine == nullptr) return Unexpected(std::string(name) + ": " + Offload::failure_reason());
  return engine;
}

template <typename T>
Expected<void> Answer(const char* name, Input input, T (*ask)(Engine&)) {
  auto engine = StartedEngine(name);
  if (!engine) return Unexpected(std::move(engine.error()));
  if (auto checked = NeedsPointer(name, input); !checked) return checked;
  *static_cast<T*>(input.pointer) = ask(**engine);
  return {};
}

// --- polling ---

constexpr int kSuccess = 0;  // the QAT library's status codes
constexpr int kFailure = -1;
constexpr int kRetry = 2;

// External polling with interrupts: each queue pair's interrupt fd becomes readable at most once
// each time it is armed.
bool PollsByEvents() {
  const Settings& settings = Module::Get().settings();
  return settings.external_polling && settings.event_driven.value_or(false);
}

int Poll(Engine& engine) {
  if (!PollsByEvents()) return engine.Poll() > 0 ? kSuccess : kRetry;
  size_t handled = 0;
  for (const auto& queue_pair : engine.card().queue_pairs()) queue_pair->DisarmInterrupt();
  bool more = true;
  while (more) {
    handled += engine.Poll();
    more = false;
    for (const auto& queue_pair : engine.card().queue_pairs()) {
      more = queue_pair->ArmInterrupt() || more;
    }
  }
  return handled > 0 ? kSuccess : kRetry;
}

Expected<void> ExternalPollingFd(Input input) {
  constexpr const char* kName = "GET_EXTERNAL_POLLING_FD";
  auto engine = StartedEngine(kName);
  if (!engine) return Unexpected(std::move(engine.error()));
  if (auto checked = NeedsPointer(kName, input); !checked) return checked;
  if (!PollsByEvents()) {
    return Unexpected(std::string(kName) +
                      ": needs ENABLE_EXTERNAL_POLLING and ENABLE_EVENT_DRIVEN_POLLING_MODE");
  }
  const auto queue_pairs = (*engine)->card().queue_pairs();
  if (auto checked = InRange(kName, input.number, 0, static_cast<long>(queue_pairs.size()) - 1);
      !checked) {
    return checked;
  }
  hwsim::rings::QueuePair& queue_pair = *queue_pairs[static_cast<size_t>(input.number)];
  (*engine)->card().SetInterrupts(true);
  *static_cast<int*>(input.pointer) = queue_pair.interrupt_fd();
  // Something completed before the interrupt was armed, so no interrupt will come for it.
  if (queue_pair.ArmInterrupt()) hwsim::SignalEventFd(queue_pair.interrupt_fd());
  return {};
}

// Submits an empty request. A card that is down refuses it, and a card that hangs does not complete
// it.
int Heartbeat(Engine& engine) {
  constexpr std::chrono::seconds kLimit{1};
  Operation<hwsim::operations::Null> beat;
  const RunOptions options{.time_limit = kLimit, .recovery = Recovery{}, .in_place = true};
  return engine.Run(beat, options) == Outcome::kOk ? kSuccess : kFailure;
}

// --- sizes, algorithms, instances ---

Expected<void> SetThreshold(std::string_view entry) {
  constexpr const char* kName = "SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD";
  constexpr uint32_t kBytesMax = 16384;
  const size_t colon = entry.find(':');
  std::string_view name = entry.substr(0, colon);
  // The QAT engine combines a cipher with a MAC; this ENGINE has the cipher only.
  name = name.substr(0, name.find("-HMAC-"));
  std::atomic<uint32_t>* threshold = CipherThreshold(name);
  if (threshold == nullptr) threshold = DigestThreshold(name);
  const auto bytes = hwsim::ParseNumber(colon == std::string_view::npos ? std::string_view{}
                                                                        : entry.substr(colon + 1));
  if (threshold == nullptr || !bytes || *bytes > kBytesMax) {
    return Unexpected(std::string(kName) + ": '" + std::string(entry) +
                      "' given; allowed: NAME:BYTES,..., BYTES from 0 to 16384, NAME one of "
                      "AES-128-CBC, AES-256-CBC, AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305, "
                      "SHA1, SHA224 to SHA512, SHA3-224 to SHA3-512");
  }
  threshold->store(static_cast<uint32_t>(*bytes), std::memory_order_relaxed);
  return {};
}

Expected<void> SetThresholds(Input input) {
  auto text = Text("SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD", input, 1024);
  if (!text) return Unexpected(std::move(text.error()));
  for (std::string_view rest = *text;;) {
    const size_t comma = rest.find(',');
    if (auto set = SetThreshold(rest.substr(0, comma)); !set) return set;
    if (comma == std::string_view::npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

Expected<uint32_t> Bitmap(const char* name, Input input) {
  auto text = Text(name, input, 32);
  if (!text) return Unexpected(std::move(text.error()));
  std::string_view digits = *text;
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  const auto bits = hwsim::ParseNumber(digits, 16);
  if (!bits || *bits > UINT32_MAX) {
    return Unexpected(std::string(name) + ": '" + std::string(*text) +
                      "' given; allowed: a hexadecimal number, as 0x82EF");
  }
  return static_cast<uint32_t>(*bits);
}

Expected<void> BindThread(Input input) {
  constexpr const char* kName = "SET_INSTANCE_FOR_THREAD";
  if (auto started = Module::Get().Start(); !started) return started;
  auto engine = StartedEngine(kName);
  if (!engine) return Unexpected(std::move(engine.error()));
  const auto count = static_cast<long>((*engine)->card().queue_pairs().size());
  if (auto checked = InRange(kName, input.number, 0, count - 1); !checked) return checked;
  Offload::UseQueuePairInThread(static_cast<uint32_t>(input.number));
  return {};
}

Expected<void> AddressOfInFlight(Input input) {
  constexpr const char* kName = "GET_NUM_REQUESTS_IN_FLIGHT";
  if (auto checked = NeedsPointer(kName, input); !checked) return checked;
  if (auto checked = InRange(kName, input.number, 1, 3); !checked) return checked;
  *static_cast<int**>(input.pointer) =
      Module::Get().in_flight(static_cast<RequestClass>(input.number));
  return {};
}

// --- the table ---

constexpr unsigned int kNoInput = ENGINE_CMD_FLAG_NO_INPUT;
constexpr unsigned int kNumber = ENGINE_CMD_FLAG_NUMERIC;
constexpr unsigned int kString = ENGINE_CMD_FLAG_STRING;
constexpr unsigned int kPointer = ENGINE_CMD_FLAG_INTERNAL;

constexpr std::array kCommands = {
    Command{"ENABLE_EXTERNAL_POLLING", "The application polls for completions with POLL", kNoInput,
            [](Input) { return ChangeSettings([](Settings& s) { s.external_polling = true; }); }},
    Command{"POLL", "Polls for completions; int*: 0 found some, 2 found none", kNoInput,
            [](Input input) -> Expected<void> {
              auto engine = StartedEngine("POLL");
              if (!engine) return Unexpected(std::move(engine.error()));
              const int answer = Poll(**engine);
              if (input.pointer != nullptr) *static_cast<int*>(input.pointer) = answer;
              return {};
            }},
    Command{"SET_INSTANCE_FOR_THREAD",
            "The queue pair that this thread submits to; starts the engine", kNumber, BindThread},
    Command{"GET_NUM_OP_RETRIES", "unsigned int*: submits that a full queue pair turned away",
            kPointer,
            [](Input input) {
              return Answer<unsigned int>("GET_NUM_OP_RETRIES", input, [](Engine& engine) {
                return static_cast<unsigned int>(engine.stats().again);
              });
            }},
    Command{
        "SET_MAX_RETRY_COUNT",
        "Retries of a synchronous call at a full queue pair; -1: until there is room", kNumber,
        [](Input input) -> Expected<void> {
          if (auto checked = InRange("SET_MAX_RETRY_COUNT", input.number, -1, 100'000); !checked) {
            return checked;
          }
          Module::Get().SetRetriesMax(
              input.number < 0 ? std::nullopt : std::optional(static_cast<uint32_t>(input.number)));
          return {};
        }},
    Command{"SET_INTERNAL_POLL_INTERVAL", "Nanoseconds between two polls of the polling thread",
            kNumber,
            [](Input input) -> Expected<void> {
              if (auto checked = InRange("SET_INTERNAL_POLL_INTERVAL", input.number, 1, 10'000'000);
                  !checked) {
                return checked;
              }
              Module::Get().SetPollInterval(std::chrono::nanoseconds(input.number));
              return {};
            }},
    Command{"GET_EXTERNAL_POLLING_FD",
            "int*: a descriptor, readable when the queue pair with this number has completions",
            kPointer, ExternalPollingFd},
    Command{"ENABLE_EVENT_DRIVEN_POLLING_MODE", "An interrupt announces completions", kNoInput,
            [](Input) { return ChangeSettings([](Settings& s) { s.event_driven = true; }); }},
    Command{"GET_NUM_CRYPTO_INSTANCES", "int*: the number of queue pairs", kPointer,
            [](Input input) {
              return Answer<int>("GET_NUM_CRYPTO_INSTANCES", input, [](Engine& engine) {
                return static_cast<int>(engine.card().queue_pairs().size());
              });
            }},
    Command{"DISABLE_EVENT_DRIVEN_POLLING_MODE", "A polling thread finds completions", kNoInput,
            [](Input) { return ChangeSettings([](Settings& s) { s.event_driven = false; }); }},
    Command{"SET_EPOLL_TIMEOUT",
            "Milliseconds after which the interrupt thread polls without an interrupt", kNumber,
            [](Input input) -> Expected<void> {
              if (auto checked = InRange("SET_EPOLL_TIMEOUT", input.number, 1, 10'000); !checked) {
                return checked;
              }
              Module::Get().SetWatchdogInterval(std::chrono::milliseconds(input.number));
              return {};
            }},
    Command{"SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD",
            "NAME:BYTES,...: the smallest data that goes to the card, by cipher and digest",
            kString, SetThresholds},
    Command{"ENABLE_INLINE_POLLING", "Synchronous calls poll for their own completion", kNoInput,
            [](Input) { return ChangeSettings([](Settings& s) { s.inline_polling = true; }); }},
    Command{
        "ENABLE_HEURISTIC_POLLING",
        "The application polls when GET_NUM_REQUESTS_IN_FLIGHT suggests it; needs external polling",
        kNoInput,
        [](Input) {
          return Module::Get().Change([](Settings& s) -> Expected<void> {
            if (s.external_polling) return {};
            return Unexpected("ENABLE_HEURISTIC_POLLING: needs ENABLE_EXTERNAL_POLLING first");
          });
        }},
    Command{"GET_NUM_REQUESTS_IN_FLIGHT",
            "int**: the counter of calls in flight; 1 asymmetric, 2 key derivation, 3 ciphers",
            kPointer, AddressOfInFlight},
    Command{"INIT_ENGINE", "Makes the card of this process now", kNoInput,
            [](Input) -> Expected<void> {
              if (auto started = Module::Get().Start(); !started) return started;
              auto engine = StartedEngine("INIT_ENGINE");
              if (!engine) return Unexpected(std::move(engine.error()));
              return {};
            }},
    Command{"SET_CONFIGURATION_SECTION_NAME",
            "The section of the file CONFIG that describes the card", kString,
            [](Input input) -> Expected<void> {
              auto text = Text("SET_CONFIGURATION_SECTION_NAME", input, 64);
              if (!text) return Unexpected(std::move(text.error()));
              return ChangeSettings([&](Settings& s) { s.section = *text; });
            }},
    Command{"ENABLE_SW_FALLBACK", "Software does the work that the card refuses or fails", kNoInput,
            [](Input) {
              return ChangeSettings([](Settings& s) { s.offload.software_fallback = true; });
            }},
    Command{"HEARTBEAT_POLL", "int*: 0 the card answers, -1 it does not", kPointer,
            [](Input input) { return Answer<int>("HEARTBEAT_POLL", input, Heartbeat); }},
    Command{"DISABLE_QAT_OFFLOAD", "From now on, software does all work", kNoInput,
            [](Input) -> Expected<void> {
              Module::Get().Disable();
              return {};
            }},
    Command{"HW_ALGO_BITMAP", "Hexadecimal: which algorithms go to the card", kString,
            [](Input input) -> Expected<void> {
              auto bits = Bitmap("HW_ALGO_BITMAP", input);
              if (!bits) return Unexpected(std::move(bits.error()));
              Module::Get().SetAlgorithms(*bits);
              return {};
            }},
    Command{"SW_ALGO_BITMAP", "Hexadecimal: algorithms that software may do; checked, no effect",
            kString,
            [](Input input) -> Expected<void> {
              // No effect: libcrypto does everything that the card does not do.
              auto bits = Bitmap("SW_ALGO_BITMAP", input);
              if (!bits) return Unexpected(std::move(bits.error()));
              return {};
            }},
};

// The commands for options: OffloadOptions' names in capitals, without the thresholds of work that
// an ENGINE cannot do.
struct OptionCommand {
  std::string_view option;
  std::string name;
};

const std::vector<OptionCommand>& OptionCommands() {
  static const auto* const commands = [] {
    auto* const made = new std::vector<OptionCommand>;
    for (const std::string_view option : OffloadOptions::Names()) {
      if (option == "threshold_mac" || option == "threshold_ctr" || option == "threshold_kdf") {
        continue;
      }
      std::string& name = made->emplace_back(OptionCommand{option, std::string(option)}).name;
      for (char& letter : name) {
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
      }
    }
    return made;
  }();
  return *commands;
}

Expected<void> SetOption(size_t index, Input input) {
  const auto& [name, command] = OptionCommands()[index];
  auto text = Text(command.c_str(), input, 4096);
  if (!text) return Unexpected(std::move(text.error()));
  return Module::Get().Change([&, option = name](Settings& s) {
    auto set = s.offload.Set(option, *text);
    if (set && option.starts_with("threshold_")) SetAllThresholds(s.offload);
    return set;
  });
}

}  // namespace

void SetAllThresholds(OffloadOptions options) {
  static_cast<void>(options.SetFromEnvironment());
  SetDigestThresholds(options);
  SetCipherThresholds(options);
}

const ENGINE_CMD_DEFN* CommandTable() {
  static const auto* const table = [] {
    auto* const made = new std::vector<ENGINE_CMD_DEFN>;
    const auto add = [&](const char* name, const char* description, unsigned int flags) {
      const auto number = ENGINE_CMD_BASE + static_cast<unsigned int>(made->size());
      made->push_back({number, name, description, flags});
    };
    for (const Command& command : kCommands) add(command.name, command.description, command.flags);
    for (const OptionCommand& command : OptionCommands()) {
      add(command.name.c_str(), "See engine/openssl/README.md", kString);
    }
    made->push_back({0, nullptr, nullptr, 0});
    return made;
  }();
  return table->data();
}

int Control(ENGINE*, int command, long number, void* pointer, void (*)()) {
  const Input input{number, pointer};
  const auto index = static_cast<size_t>(command - ENGINE_CMD_BASE);
  if (command < ENGINE_CMD_BASE || index >= kCommands.size() + OptionCommands().size()) {
    RaiseError("no such control command: " + std::to_string(command));
    return 0;
  }
  const Expected<void> done = index < kCommands.size() ? kCommands[index].run(input)
                                                       : SetOption(index - kCommands.size(), input);
  if (done) return 1;
  const std::string name = CommandTable()[index].cmd_name;
  const std::string& why = done.error().message;
  RaiseError(why.starts_with(name) ? why : name + ": " + why);
  return 0;
}

}  // namespace engine::openssl::engine
