#include "engine.hpp"

#include "guard.hpp"

namespace vision {

bool is_built(vision_engine engine) {
    switch (engine) {
        case VISION_ENGINE_OPENCV:
            return true;
        case VISION_ENGINE_OPENCV_ONEDNN:
#ifdef VISION_ONEDNN
            return true;
#else
            return false;
#endif
    }
    return false;
}

std::unique_ptr<Engine> load_engine(vision_engine engine, const NetworkFiles &files) {
#ifdef VISION_ONEDNN
    if (engine == VISION_ENGINE_OPENCV_ONEDNN) return load_opencv_onednn(files);
#endif
    if (engine == VISION_ENGINE_OPENCV) return load_opencv(files);
    fail(VISION_BAD_MODEL, "engine %d is not in this build", static_cast<int>(engine));
}

}  // namespace vision

bool vision_engine_is_built(vision_engine engine) {
    return vision::is_built(engine);
}
