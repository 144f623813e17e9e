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

// Workspaces that no thread uses, kept from call to call until the library is closed. (Those
// of threads would keep it open as long as the threads live.)
class Workspaces {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  void* unused[64];
  int count = 0;

 public:
  ~Workspaces() {
    while (count) free(unused[--count]);
  }
  void* take() {
    pthread_mutex_lock(&mutex);
    void* memory = count ? unused[--count] : nullptr;
    pthread_mutex_unlock(&mutex);
    const long bytes = workspace_bytes * THREADS + 64;
    return memory ? memory : aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void give_back(void* memory) {
    pthread_mutex_lock(&mutex);
    const bool kept = count < 64;
    if (kept) unused[count++] = memory;
    pthread_mutex_unlock(&mutex);
    if (!kept) free(memory);
  }
} workspaces;

void run_blocks(Call* call, const Memory memory) {
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

void* take_lanes(void* call) {
  void* memory = workspaces.take();
  run_blocks(static_cast<Call*>(call), {static_cast<char*>(memory), THREADS, THREADS - 1});
  workspaces.give_back(memory);
  return nullptr;
}

}  // namespace

extern "C" XLA_FFI_Error* run_lanes(XLA_FFI_CallFrame* frame) {
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
         !pthread_create(&others[started], nullptr, take_lanes, &call))
    ++started;
  take_lanes(&call);
  for (long k = 0; k < started; ++k) pthread_join(others[k], nullptr);
  return nullptr;
}
