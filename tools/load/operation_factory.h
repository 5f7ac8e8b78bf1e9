// OperationFactory: makes operations of one kind, all with the same input and key.
//
// Threads: Make from any thread. Ownership: an operation owns its input and shares its key.
#ifndef GHOSTCARD_TOOLS_LOAD_OPERATION_FACTORY_H_
#define GHOSTCARD_TOOLS_LOAD_OPERATION_FACTORY_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "engine/operation.h"
#include "hwsim/base/error.h"
#include "hwsim/operations/request.h"

namespace tools::load {

class OperationFactory {
 public:
  // `size_bytes` is the length of the input; kinds without an input of a chosen length ignore it.
  // Fails when the key cannot be made. Requires: `kind` is not kOther.
  static hwsim::Expected<OperationFactory> Create(hwsim::operations::OperationKind kind,
                                                  uint32_t size_bytes);
  engine::OperationHandle Make() const { return make_(); }

 private:
  explicit OperationFactory(std::function<engine::OperationHandle()> make)
      : make_(std::move(make)) {}
  std::function<engine::OperationHandle()> make_;
};

}  // namespace tools::load

#endif  // GHOSTCARD_TOOLS_LOAD_OPERATION_FACTORY_H_
