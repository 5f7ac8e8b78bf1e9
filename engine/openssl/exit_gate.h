// ExitGate: keeps the card's threads out of libcrypto while the process ends or forks. At the end,
// libcrypto frees its own state. In a forked child, a libcrypto lock that a card thread held would
// stay locked, because that thread does not exist in the child. The application's own threads are
// not stopped.
//
// Threads: any. There is one gate in a process.
#ifndef GHOSTCARD_ENGINE_OPENSSL_EXIT_GATE_H_
#define GHOSTCARD_ENGINE_OPENSSL_EXIT_GATE_H_

namespace engine::openssl {

class ExitGate {
 public:
  // Marks the calling thread as one of the application's; LibcryptoUse no longer counts or stops
  // it.
  static void NoteApplicationThread();

  // Surrounds a use of libcrypto. On a card thread, the constructor waits while the gate is held,
  // and never returns once the gate is closed.
  class LibcryptoUse {
   public:
    LibcryptoUse();
    ~LibcryptoUse();
    LibcryptoUse(const LibcryptoUse&) = delete;
    LibcryptoUse& operator=(const LibcryptoUse&) = delete;

   private:
    const bool counted_;
  };

  // Closes the gate for good. Returns when no card thread uses libcrypto.
  static void Close();
  static bool closed();
  // For one fork() at a time. Hold closes the gate until ReopenInParent or ReopenInChild, and
  // returns when no card thread uses libcrypto. A closed gate stays closed.
  static void Hold();
  static void ReopenInParent();
  static void ReopenInChild();
};

}  // namespace engine::openssl

#endif  // GHOSTCARD_ENGINE_OPENSSL_EXIT_GATE_H_
