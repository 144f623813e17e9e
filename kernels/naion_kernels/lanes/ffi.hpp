// XLA's interface of custom calls: what programs and their loader share.
#include "xla/ffi/api/c_api.h"

namespace {

inline XLA_FFI_Error* failure(XLA_FFI_CallFrame* frame, const char* message,
                              XLA_FFI_Error_Code code = XLA_FFI_Error_Code_INVALID_ARGUMENT) {
  XLA_FFI_Error_Create_Args args = {XLA_FFI_Error_Create_Args_STRUCT_SIZE, nullptr, message,
                                    code};
  return frame->api->XLA_FFI_Error_Create(&args);
}

}  // namespace
