#include "hwsim/request.h"

namespace hwsim {

std::string_view OperationName(OperationKind kind) {
  return EnumNames<OperationKind>::NameOf(kind);
}

}  // namespace hwsim
