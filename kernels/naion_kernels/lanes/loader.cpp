// The one XLA custom call of all lane programs. Each program is a library of its own. Those
// that XLA's executables call stay loaded until the last such executable is destroyed.
#include <dlfcn.h>

#include <map>
#include <mutex>
#include <string>

#include "ffi.hpp"

namespace {

struct Program {
  void* library;
  XLA_FFI_Handler* run;
  long holders;  // one for Python, one for each call in an executable
};
typedef std::map<std::string, Program> Programs;

std::mutex mutex;
// Never destroyed: executables may live until a process ends.
Programs& programs = *new Programs;

void release(Programs::iterator at) {
  if (--at->second.holders) return;
  dlclose(at->second.library);
  programs.erase(at);
}

// What XLA keeps for each call in an executable: where its program is.
void destroy(void* state) {
  std::lock_guard<std::mutex> lock(mutex);
  auto* at = static_cast<Programs::iterator*>(state);
  release(*at);
  delete at;
}

XLA_FFI_TypeId state_type = XLA_FFI_UNKNOWN_TYPE_ID;

XLA_FFI_Error* register_state_type(const XLA_FFI_Api* api) {
  static const char name[] = "naion_lane_program";
  static const XLA_FFI_TypeInfo info = {XLA_FFI_TypeInfo_STRUCT_SIZE, nullptr, destroy};
  XLA_FFI_Type_Register_Args args = {XLA_FFI_Type_Register_Args_STRUCT_SIZE, nullptr,
                                     {name, sizeof name - 1}, &state_type, &info};
  return api->XLA_FFI_Type_Register(&args);
}

// XLA asks first which version of its interface this was made for, and what is kept.
bool asks_for_metadata(XLA_FFI_CallFrame* frame, XLA_FFI_Error** wrong) {
  for (auto* e = frame->extension_start; e; e = e->next) {
    if (e->type != XLA_FFI_Extension_Metadata) continue;
    *wrong = state_type.type_id ? nullptr : register_state_type(frame->api);
    auto* metadata = reinterpret_cast<XLA_FFI_Metadata_Extension*>(e)->metadata;
    metadata->api_version.major_version = XLA_FFI_API_MAJOR;
    metadata->api_version.minor_version = XLA_FFI_API_MINOR;
    metadata->traits = 0;
    metadata->state_type_id = state_type;
    return true;
  }
  return false;
}

std::string key_of(const XLA_FFI_CallFrame* frame) {
  for (long k = 0; k < frame->attrs.size; ++k) {
    const auto* name = frame->attrs.names[k];
    if (std::string(name->ptr, name->len) != "program") continue;
    auto* text = static_cast<XLA_FFI_ByteSpan*>(frame->attrs.attrs[k]);
    return std::string(text->ptr, text->len);
  }
  return "";
}

}  // namespace

// XLA makes an executable that calls a program.
extern "C" XLA_FFI_Error* instantiate(XLA_FFI_CallFrame* frame) {
  XLA_FFI_Error* wrong;
  if (asks_for_metadata(frame, &wrong)) return wrong;
  std::lock_guard<std::mutex> lock(mutex);
  const auto at = programs.find(key_of(frame));
  if (at == programs.end())
    return failure(frame, "naion: a lane program is not loaded that an executable calls");
  ++at->second.holders;
  XLA_FFI_State_Set_Args args = {XLA_FFI_State_Set_Args_STRUCT_SIZE, nullptr, frame->ctx,
                                 XLA_FFI_ExecutionStage_INSTANTIATE, &state_type,
                                 new Programs::iterator(at)};
  return frame->api->XLA_FFI_State_Set(&args);
}

extern "C" XLA_FFI_Error* execute(XLA_FFI_CallFrame* frame) {
  XLA_FFI_Error* wrong;
  if (asks_for_metadata(frame, &wrong)) return wrong;
  XLA_FFI_State_Get_Args args = {XLA_FFI_State_Get_Args_STRUCT_SIZE, nullptr, frame->ctx,
                                 XLA_FFI_ExecutionStage_INSTANTIATE, &state_type, nullptr};
  if ((wrong = frame->api->XLA_FFI_State_Get(&args))) return wrong;
  return (*static_cast<Programs::iterator*>(args.state))->second.run(frame);
}

// Load a program, or hold it once more; null, or what is wrong.
extern "C" const char* hold(const char* key, const char* path) {
  std::lock_guard<std::mutex> lock(mutex);
  auto at = programs.find(key);
  if (at == programs.end()) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
    auto* run = reinterpret_cast<XLA_FFI_Handler*>(dlsym(library, "run_lanes"));
    if (!run) return dlerror();
    at = programs.insert({key, {library, run, 0}}).first;
  }
  ++at->second.holders;
  return nullptr;
}

extern "C" void let_go(const char* key) {
  std::lock_guard<std::mutex> lock(mutex);
  release(programs.find(key));
}

extern "C" long loaded() {
  std::lock_guard<std::mutex> lock(mutex);
  return programs.size();
}
