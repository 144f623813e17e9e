// Operands of the XLA custom call that runs a lane program.
#include "ffi.hpp"

#ifdef __CUDACC__
#define ANYWHERE __host__ __device__
#else
#define ANYWHERE
#endif

namespace {

// Lanes come in groups. An operand is shared by all, or there is one for each group or lane.
struct Operands {
  long count[n_inputs + 1];
  long groups, lanes;

  ANYWHERE bool by_lane(long k) const { return count[k] == groups * lanes; }
  // Which of the operands `k` belongs to a lane of a group.
  ANYWHERE long place(long k, long group, long lane) const {
    return by_lane(k) ? lane : count[k] == 1 ? 0 : group;
  }
};

inline long bytes_of(const XLA_FFI_Buffer* b, long item) {
  for (long d = 0; d < b->rank; ++d) item *= b->dims[d];
  return item;
}

// Fills in addresses and counts; an error if they do not fit the program.
inline XLA_FFI_Error* read_operands(XLA_FFI_CallFrame* frame, Operands& o, const char** in,
                                    char** out) {
  if (frame->args.size != n_inputs || frame->rets.size != n_outputs)
    return failure(frame, "naion: a lane program got other operands than it was made for");
  o.groups = o.lanes = 1;
  for (long k = 0; k < n_outputs; ++k) {
    auto* b = static_cast<XLA_FFI_Buffer*>(frame->rets.rets[k]);
    if (output_bytes[k]) o.lanes = bytes_of(b, output_items[k]) / output_bytes[k];
    out[k] = static_cast<char*>(b->data);
  }
  const long all = o.lanes;
  for (long k = 0; k < n_inputs; ++k) {
    auto* b = static_cast<XLA_FFI_Buffer*>(frame->args.args[k]);
    const long bytes = bytes_of(b, input_items[k]);
    const long count = input_bytes[k] ? bytes / input_bytes[k] : 1;
    if (count == 0 || count * input_bytes[k] != bytes || all % count)
      return failure(frame, "naion: an operand of a lane program has the wrong size");
    if (count != 1 && count != all) o.groups = count, o.lanes = all / count;
    in[k] = static_cast<const char*>(b->data);
    o.count[k] = count;
  }
  return nullptr;
}

}  // namespace
