// OpenVINO's C interface, as far as it is used here, from a shared library that is looked for when it is first asked
// for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace vision::openvino {

// As <openvino/c/openvino.h> has them; they have not changed since OpenVINO 2022.
struct Core;
struct Network;
struct Compiled;
struct Request;
struct Memory;
struct Port;

struct Dimension {
    int64_t least, most;
};
struct PartialShape {
    Dimension rank;
    Dimension *dimensions;
};
struct Shape {
    int64_t rank;
    int64_t *dimensions;
};
struct Version {
    const char *build, *description;
};
/// 0 is success.
using Status = int;

/// Loaded once in a process, and never unloaded.
class Library {
  public:
    /// Throws where there is none, and says where it was looked for.
    static const Library &shared();

    /// Throws with OpenVINO's own words unless `status` is 0.
    void check(Status status) const;

    Core *core = nullptr;
    /// "2026.4.1".
    std::string version;
    /// The number of 32-bit floats among the types of elements; it is not the same in every version.
    unsigned f32 = 0;

    Status (*core_create)(Core **);
    Status (*read_model)(const Core *, const char *text, size_t length, const Memory *weights, Network **);
    Status (*inputs_size)(const Network *, size_t *);
    Status (*reshape)(const Network *, PartialShape);
    void (*model_free)(Network *);
    /// `argument_count` names and values of properties follow.
    Status (*compile)(const Core *, const Network *, const char *device, size_t argument_count, Compiled **, ...);
    Status (*outputs_size)(const Compiled *, size_t *);
    Status (*output_port)(const Compiled *, size_t index, Port **);
    Status (*port_name)(const Port *, char **);
    void (*port_free)(Port *);
    void (*compiled_free)(Compiled *);
    Status (*create_request)(const Compiled *, Request **);
    Status (*set_input)(Request *, const Memory *);
    Status (*get_input)(const Request *, Memory **);
    Status (*get_output)(const Request *, size_t index, Memory **);
    Status (*infer)(Request *);
    void (*request_free)(Request *);
    Status (*memory_create)(unsigned type, Shape, Memory **);
    Status (*memory_of)(unsigned type, Shape, void *, Memory **);
    Status (*memory_shape)(const Memory *, Shape *);
    Status (*memory_type)(const Memory *, unsigned *);
    Status (*memory_bytes)(const Memory *, size_t *);
    Status (*memory_data)(const Memory *, void **);
    void (*memory_free)(Memory *);
    Status (*shape_free)(Shape *);
    Status (*get_version)(Version *);
    void (*version_free)(Version *);
    void (*text_free)(const char *);
    const char *(*error_of)(Status);
    const char *(*last_error)();

  private:
    Library();
    unsigned find_f32() const;
};

template <typename Thing, void (*Library::*release)(Thing *)>
struct Release {
    void operator()(Thing *thing) const { (Library::shared().*release)(thing); }
};
using OwnedNetwork = std::unique_ptr<Network, Release<Network, &Library::model_free>>;
using OwnedCompiled = std::unique_ptr<Compiled, Release<Compiled, &Library::compiled_free>>;
using OwnedRequest = std::unique_ptr<Request, Release<Request, &Library::request_free>>;
using OwnedMemory = std::unique_ptr<Memory, Release<Memory, &Library::memory_free>>;
using OwnedPort = std::unique_ptr<Port, Release<Port, &Library::port_free>>;

}  // namespace vision::openvino
