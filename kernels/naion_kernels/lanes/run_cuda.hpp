// Runs a program over all lanes of an XLA custom call on a GPU: one thread a lane.
#include <cuda_runtime.h>

#include "operands.hpp"

namespace {

struct Call {
  Operands operands;
  const char* in[n_inputs + 1];
  char* out[n_outputs + 1];
  long in_bytes[n_inputs + 1];
  long out_bytes[n_outputs + 1];
};

const int block_threads = 64;

__global__ void __launch_bounds__(block_threads) run_lanes_on_gpu(Call call, char* memory) {
  const long thread = blockIdx.x * long(blockDim.x) + threadIdx.x;
  const long threads = gridDim.x * long(blockDim.x);
  const Operands& o = call.operands;
  for (long lane = thread; lane < o.groups * o.lanes; lane += threads) {
    const char* in[n_inputs + 1];
    char* out[n_outputs + 1];
    for (int k = 0; k < n_inputs; ++k)
      in[k] = call.in[k] + o.place(k, lane / o.lanes, lane) * call.in_bytes[k];
    for (int k = 0; k < n_outputs; ++k) out[k] = call.out[k] + lane * call.out_bytes[k];
    run_block(in, call.in_bytes, out, call.out_bytes, 1, {memory, threads, thread});
  }
}

XLA_FFI_Error* cuda_failure(XLA_FFI_CallFrame* frame, cudaError_t error) {
  return failure(frame, cudaGetErrorString(error), XLA_FFI_Error_Code_INTERNAL);
}

}  // namespace

#define TRY(call) \
  if (cudaError_t error = call; error != cudaSuccess) return cuda_failure(frame, error)

extern "C" XLA_FFI_Error* run_lanes(XLA_FFI_CallFrame* frame) {
  Call call = {};
  if (auto* wrong = read_operands(frame, call.operands, call.in, call.out)) return wrong;
  for (int k = 0; k < n_inputs; ++k) call.in_bytes[k] = input_bytes[k];
  for (int k = 0; k < n_outputs; ++k) call.out_bytes[k] = output_bytes[k];

  XLA_FFI_Stream_Get_Args args = {XLA_FFI_Stream_Get_Args_STRUCT_SIZE, nullptr, frame->ctx,
                                  nullptr};
  if (auto* wrong = frame->api->XLA_FFI_Stream_Get(&args)) return wrong;
  auto stream = static_cast<cudaStream_t>(args.stream);

  int device, processors, resident;
  TRY(cudaGetDevice(&device));
  TRY(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  TRY(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, run_lanes_on_gpu,
                                                    block_threads, 0));
  const long all = call.operands.groups * call.operands.lanes;
  long blocks = (all + block_threads - 1) / block_threads;
  if (blocks > long(processors) * resident) blocks = long(processors) * resident;
  // Where the workspace of all threads does not fit, fewer threads take more lanes.
  void* memory = nullptr;
  while (true) {
    const size_t bytes = size_t(workspace_bytes) * blocks * block_threads + 256;
    const cudaError_t error = cudaMallocAsync(&memory, bytes, stream);
    if (error == cudaSuccess) break;
    cudaGetLastError();  // or the next call would report it again
    if (error != cudaErrorMemoryAllocation || blocks == 1) return cuda_failure(frame, error);
    blocks = (blocks + 1) / 2;
  }
  run_lanes_on_gpu<<<blocks, block_threads, 0, stream>>>(call, static_cast<char*>(memory));
  const cudaError_t launched = cudaGetLastError();
  TRY(cudaFreeAsync(memory, stream));
  TRY(launched);
  return nullptr;
}
