#include "engine.hpp"

#include "guard.hpp"

namespace vision {

const char *whose(vision_network format) {
    switch (format) {
        case VISION_DARKNET:
            return "Darknet's";
        case VISION_ONNX:
            return "ONNX";
        case VISION_TENSORFLOW:
            return "a frozen graph of TensorFlow";
        case VISION_CAFFE:
            return "Caffe's";
    }
    return "of an unknown format";
}

void require(vision_engine engine) {
    switch (engine) {
        case VISION_ENGINE_OPENCV:
            return;
        case VISION_ENGINE_OPENCV_ONEDNN:
#ifdef VISION_ONEDNN
            return;
#else
            fail(VISION_BAD_MODEL, "the engine opencv+onednn is not in this build: version 2 of oneDNN was not there");
#endif
        case VISION_ENGINE_OPENVINO:
            return require_openvino();
    }
    fail(VISION_BAD_MODEL, "engine %d is unknown", static_cast<int>(engine));
}

std::unique_ptr<Engine> load_engine(vision_engine engine, const NetworkFiles &files) {
    require(engine);
    if (engine == VISION_ENGINE_OPENVINO) return load_openvino(files);
#ifdef VISION_ONEDNN
    if (engine == VISION_ENGINE_OPENCV_ONEDNN) return load_opencv_onednn(files);
#endif
    return load_opencv(files);
}

}  // namespace vision

using namespace vision;

bool vision_engine_check(vision_engine engine, vision_error *error) {
    return guarded(error, VISION_BAD_MODEL, false, [&] {
        require(engine);
        return true;
    });
}
