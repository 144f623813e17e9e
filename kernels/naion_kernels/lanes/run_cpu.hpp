// Runs a program over all lanes of an XLA custom call, on all CPUs the thread may use.
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "xla/ffi/api/c_api.h"

namespace {

struct Call {
  const char** in;
  char** out;
  long in_count[n_inputs + 1];  // 1 if shared by all, or one for each group or lane
  long groups;                  // lanes come in groups; no block crosses their borders
  long lanes;                   // of a group
  long next;                    // the first block that nobody has taken yet

  long blocks_of_group() const { return (lanes + WIDTH - 1) / WIDTH; }
};

// The workspace of a thread; kept from call to call.
struct Workspace {
  void* memory = nullptr;
  ~Workspace() { free(memory); }
};

void take_lanes(Call* call) {
  static thread_local Workspace space;
  if (!space.memory) {
    const long bytes = workspace_bytes + 64;
    space.memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  while (true) {
    const long block = __atomic_fetch_add(&call->next, 1, __ATOMIC_RELAXED);
    const long group = block / call->blocks_of_group();
    if (group >= call->groups) return;
    const long within = block % call->blocks_of_group() * WIDTH;
    const long first = group * call->lanes + within;
    const char* in[n_inputs + 1];
    char* out[n_outputs + 1];
    long in_step[n_inputs + 1];  // bytes from one lane to the next
    for (long k = 0; k < n_inputs; ++k) {
      const bool by_lane = call->in_count[k] == call->groups * call->lanes;
      const long at = by_lane ? first : call->in_count[k] == 1 ? 0 : group;
      in[k] = call->in[k] + at * input_bytes[k];
      in_step[k] = by_lane ? input_bytes[k] : 0;
    }
    for (long k = 0; k < n_outputs; ++k)
      out[k] = call->out[k] + first * output_bytes[k];
    const long left = call->lanes - within;
    run_block(in, in_step, out, output_bytes, left < WIDTH ? left : WIDTH, space.memory);
  }
}

void* worker(void* call) {
  take_lanes(static_cast<Call*>(call));
  return nullptr;
}

long bytes_of(const XLA_FFI_Buffer* b, long item) {
  for (long d = 0; d < b->rank; ++d) item *= b->dims[d];
  return item;
}

XLA_FFI_Error* failure(XLA_FFI_CallFrame* frame, const char* message) {
  XLA_FFI_Error_Create_Args args = {XLA_FFI_Error_Create_Args_STRUCT_SIZE, nullptr,
                                    message, XLA_FFI_Error_Code_INVALID_ARGUMENT};
  return frame->api->XLA_FFI_Error_Create(&args);
}

}  // namespace

extern "C" XLA_FFI_Error* run_lanes(XLA_FFI_CallFrame* frame) {
  for (auto* e = frame->extension_start; e; e = e->next) {
    if (e->type != XLA_FFI_Extension_Metadata) continue;
    auto* metadata = reinterpret_cast<XLA_FFI_Metadata_Extension*>(e)->metadata;
    metadata->api_version.major_version = XLA_FFI_API_MAJOR;
    metadata->api_version.minor_version = XLA_FFI_API_MINOR;
    metadata->traits = 0;
    return nullptr;
  }
  if (frame->args.size != n_inputs || frame->rets.size != n_outputs)
    return failure(frame, "naion: a lane program got other operands than it was made for");
  const char* in[n_inputs + 1];
  char* out[n_outputs + 1];
  Call call = {in, out, {}, 1, 1, 0};
  for (long k = 0; k < n_outputs; ++k) {
    auto* b = static_cast<XLA_FFI_Buffer*>(frame->rets.rets[k]);
    if (output_bytes[k]) call.lanes = bytes_of(b, output_items[k]) / output_bytes[k];
    out[k] = static_cast<char*>(b->data);
  }
  const long all = call.lanes;
  for (long k = 0; k < n_inputs; ++k) {
    auto* b = static_cast<XLA_FFI_Buffer*>(frame->args.args[k]);
    const long bytes = bytes_of(b, input_items[k]);
    const long count = input_bytes[k] ? bytes / input_bytes[k] : 1;
    if (count * input_bytes[k] != bytes || count == 0 || all % count)
      return failure(frame, "naion: an operand of a lane program has the wrong size");
    if (count != 1 && count != all) call.groups = count, call.lanes = all / count;
    in[k] = static_cast<const char*>(b->data);
    call.in_count[k] = count;
  }
  cpu_set_t allowed;
  long threads = sched_getaffinity(0, sizeof allowed, &allowed) ? 1 : CPU_COUNT(&allowed);
  const long blocks = call.groups * call.blocks_of_group();
  if (threads > blocks) threads = blocks;
  if (threads > 64) threads = 64;
  pthread_t others[64];
  long started = 0;
  while (started < threads - 1 &&
         !pthread_create(&others[started], nullptr, worker, &call))
    ++started;
  take_lanes(&call);
  for (long k = 0; k < started; ++k) pthread_join(others[k], nullptr);
  return nullptr;
}
