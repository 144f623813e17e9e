// Runs a program over all lanes of an XLA custom call, on all CPUs the thread may use.
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "operands.hpp"

// Tests lay out the workspace as on a GPU.
#ifdef STRIDED
#define THREADS 3
#else
#define THREADS 1
#endif

namespace {

struct Call {
  Operands operands;
  const char* in[n_inputs + 1];
  char* out[n_outputs + 1];
  long next;  // the first block of lanes that nobody has taken yet

  // No block crosses the borders of a group.
  long blocks_of_group() const { return (operands.lanes + WIDTH - 1) / WIDTH; }
};

// The workspace of a thread; kept from call to call.
struct Workspace {
  void* memory = nullptr;
  ~Workspace() { free(memory); }
};

void take_lanes(Call* call) {
  static thread_local Workspace space;
  if (!space.memory) {
    const long bytes = workspace_bytes * THREADS + 64;
    space.memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  const Memory memory = {static_cast<char*>(space.memory), THREADS, THREADS - 1};
  const Operands& o = call->operands;
  while (true) {
    const long block = __atomic_fetch_add(&call->next, 1, __ATOMIC_RELAXED);
    const long group = block / call->blocks_of_group();
    if (group >= o.groups) return;
    const long within = block % call->blocks_of_group() * WIDTH;
    const long first = group * o.lanes + within;
    const char* in[n_inputs + 1];
    char* out[n_outputs + 1];
    long in_step[n_inputs + 1];  // bytes from one lane to the next
    for (long k = 0; k < n_inputs; ++k) {
      in[k] = call->in[k] + o.place(k, group, first) * input_bytes[k];
      in_step[k] = o.by_lane(k) ? input_bytes[k] : 0;
    }
    for (long k = 0; k < n_outputs; ++k) out[k] = call->out[k] + first * output_bytes[k];
    const long left = o.lanes - within;
    run_block(in, in_step, out, output_bytes, left < WIDTH ? left : WIDTH, memory);
  }
}

void* worker(void* call) {
  take_lanes(static_cast<Call*>(call));
  return nullptr;
}

}  // namespace

extern "C" XLA_FFI_Error* run_lanes(XLA_FFI_CallFrame* frame) {
  if (answer_metadata(frame)) return nullptr;
  Call call = {};
  if (auto* wrong = read_operands(frame, call.operands, call.in, call.out)) return wrong;
  cpu_set_t allowed;
  long threads = sched_getaffinity(0, sizeof allowed, &allowed) ? 1 : CPU_COUNT(&allowed);
  const long blocks = call.operands.groups * call.blocks_of_group();
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
