#include "library.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../guard.hpp"

namespace vision::openvino {
namespace {

constexpr const char *variable = "FRAMEMESH_OPENVINO";
constexpr const char *file_name = "libopenvino_c.so";

/// The library in a folder, with or without a version behind its name; empty where there is none.
std::string library_in(const std::string &folder) {
    std::string found;
    DIR *entries = opendir(folder.c_str());
    if (!entries) return found;
    while (const dirent *entry = readdir(entries)) {
        const std::string name = entry->d_name;
        // The latest, where there are several.
        if (name.rfind(file_name, 0) == 0) found = std::max(found, name);
    }
    closedir(entries);
    return found.empty() ? found : folder + "/" + found;
}

/// What the variable names: the library, its folder, or the folder of Python's package.
std::string library_at(const std::string &place) {
    struct stat about;
    if (stat(place.c_str(), &about) == 0 && !S_ISDIR(about.st_mode)) return place;
    const std::string own = library_in(place);
    return own.empty() ? library_in(place + "/libs") : own;
}

void *open_library() {
    const char *given = std::getenv(variable);
    const bool by_loader = !given || !*given;
    const std::string path = by_loader ? file_name : library_at(given);
    if (path.empty()) {
        fail(VISION_BAD_MODEL, "OpenVINO is not here: %s names %s, where there is no %s", variable, given, file_name);
    }
    if (void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
    const std::string why = dlerror();
    fail(VISION_BAD_MODEL, "OpenVINO is not here: %s%s", why.c_str(),
         by_loader ? "; FRAMEMESH_OPENVINO may name the folder of libopenvino_c.so" : "");
}

template <typename Function>
void find(void *handle, const char *name, Function &function) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    if (!function) fail(VISION_BAD_MODEL, "this OpenVINO has no %s: it is older than 2024, or no OpenVINO", name);
}

}  // namespace

Library::Library() {
    void *handle = open_library();
    find(handle, "ov_core_create", core_create);
    find(handle, "ov_core_read_model_from_memory_buffer", read_model);
    find(handle, "ov_model_inputs_size", inputs_size);
    find(handle, "ov_model_reshape_single_input", reshape);
    find(handle, "ov_model_free", model_free);
    find(handle, "ov_core_compile_model", compile);
    find(handle, "ov_compiled_model_outputs_size", outputs_size);
    find(handle, "ov_compiled_model_output_by_index", output_port);
    find(handle, "ov_port_get_any_name", port_name);
    find(handle, "ov_output_const_port_free", port_free);
    find(handle, "ov_compiled_model_free", compiled_free);
    find(handle, "ov_compiled_model_create_infer_request", create_request);
    find(handle, "ov_infer_request_set_input_tensor", set_input);
    find(handle, "ov_infer_request_get_input_tensor", get_input);
    find(handle, "ov_infer_request_get_output_tensor_by_index", get_output);
    find(handle, "ov_infer_request_infer", infer);
    find(handle, "ov_infer_request_free", request_free);
    find(handle, "ov_tensor_create", memory_create);
    find(handle, "ov_tensor_create_from_host_ptr", memory_of);
    find(handle, "ov_tensor_get_shape", memory_shape);
    find(handle, "ov_tensor_get_element_type", memory_type);
    find(handle, "ov_tensor_get_byte_size", memory_bytes);
    find(handle, "ov_tensor_data", memory_data);
    find(handle, "ov_tensor_free", memory_free);
    find(handle, "ov_shape_free", shape_free);
    find(handle, "ov_get_openvino_version", get_version);
    find(handle, "ov_version_free", version_free);
    find(handle, "ov_free", text_free);
    find(handle, "ov_get_error_info", error_of);
    find(handle, "ov_get_last_err_msg", last_error);
    Version about{};
    check(get_version(&about));
    version = about.build ? about.build : "";
    version_free(&about);
    // "2026.4.1-22982-e213a147257-releases/2026/4"
    version.resize(std::min(version.find('-'), version.size()));
    f32 = find_f32();
    check(core_create(&core));
}

const Library &Library::shared() {
    // Never destroyed: models may outlive static destructors.
    static const Library *const library = new Library;
    return *library;
}

void Library::check(Status status) const {
    if (status == 0) return;
    const char *words = last_error();
    std::string text = words && *words ? words : error_of(status);
    if (words) text_free(words);
    // Where in OpenVINO's sources something was seen helps nobody; the last line says what.
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    fail(VISION_BAD_MODEL, "OpenVINO: %s", text.substr(text.rfind('\n') + 1).c_str());
}

unsigned Library::find_f32() const {
    // It is 4, or 5 in versions that have one type more before it; behind it come doubles, before it halves.
    constexpr unsigned later = 5;
    int64_t one = 1;
    Memory *memory = nullptr;
    check(memory_create(later, {1, &one}, &memory));
    size_t bytes = 0;
    const Status status = memory_bytes(memory, &bytes);
    memory_free(memory);
    check(status);
    if (bytes == sizeof(float)) return later;
    if (bytes == sizeof(double)) return later - 1;
    fail(VISION_BAD_MODEL, "OpenVINO %s numbers its types in another way", version.c_str());
}

}  // namespace vision::openvino
