#include "hwsim/model/host_interface.h"

namespace hwsim::model {

void HostInterface::Repeat(const Response& response) {
  events_.push_back({.kind = ModelEvent::Kind::kRepeat,
                     .queue_pair = response.queue_pair,
                     .request = response.request,
                     .at = time_.ToWorld(response.time)});
  Signal(response.queue_pair, response.time);
}

void HostInterface::RaiseByFault(uint32_t queue_pair, TimePoint card) {
  if (!moderator_.on()) return;
  events_.push_back({.kind = ModelEvent::Kind::kInterrupt,
                     .for_nothing = true,
                     .queue_pair = queue_pair,
                     .at = time_.ToWorld(card)});
}

void HostInterface::EndModeration(uint32_t queue_pair, TimePoint card) {
  moderator_.Risen(queue_pair);
  OfferInterrupt(queue_pair, card);
}

}  // namespace hwsim::model
