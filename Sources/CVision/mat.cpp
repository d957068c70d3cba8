#include "mat.hpp"

#include <opencv2/core/utils/logger.hpp>

namespace vision {

void prepare_opencv() {
    static const bool once = [] {
        cv::setNumThreads(1);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        return true;
    }();
    static_cast<void>(once);
}

}  // namespace vision
