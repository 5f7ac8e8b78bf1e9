#include "hwsim/operations/request.h"

namespace hwsim::operations {

std::string_view OperationName(OperationKind kind) {
  return EnumNames<OperationKind>::NameOf(kind);
}

}  // namespace hwsim::operations
