// ExitGate: keeps the card's threads out of libcrypto as the process ends, when libcrypto takes
// itself apart, and while it forks: a child would find libcrypto's locks held by threads that it
// has not got. What the application's own threads do is the application's business.
//
// Threads: everything from any; one gate for the process.
#ifndef GHOSTCARD_ENGINE_OPENSSL_EXIT_GATE_H_
#define GHOSTCARD_ENGINE_OPENSSL_EXIT_GATE_H_

namespace engine {

class ExitGate {
 public:
  // The calling thread is the application's from now on.
  static void NoteApplicationThread();

  // A card's thread at work with libcrypto. Once the gate is closed, such a thread stays in here.
  class AtWork {
   public:
    AtWork();
    ~AtWork();
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;

   private:
    const bool counted_;
  };

  // Returns when no thread of the card's is at work, and none will be.
  static void Close();
  static bool closed();
  // The same for the time of a fork(): until GoOn, and StartAnew in the child, which has none of
  // its parent's threads. One fork at a time.
  static void Hold();
  static void GoOn();
  static void StartAnew();
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_EXIT_GATE_H_
