#include <algorithm>

#include "../engine_opencv.hpp"
#include "../mat.hpp"
#include "plan.hpp"

/// Of libgomp, which Debian's oneDNN runs on.
extern "C" int omp_get_max_threads();
extern "C" void omp_set_num_threads(int);

namespace vision {
namespace {

/// oneDNN would start a team of threads for each of ours. The number is one thread's own, so others keep theirs.
class SingleThread {
  public:
    SingleThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
    ~SingleThread() { omp_set_num_threads(before_); }
    SingleThread(const SingleThread &) = delete;
    SingleThread &operator=(const SingleThread &) = delete;

  private:
    const int before_;
};

class OneDNNEngine final : public OpenCVEngine {
  public:
    OneDNNEngine(const NetworkFiles &files, cv::dnn::Net net, std::shared_ptr<onednn::Plan> plan)
        : OpenCVEngine(files, std::move(net)), plan_(std::move(plan)) {}

    const std::vector<Tensor> &run() override {
        const SingleThread alone;
        plan_->prepare(batch());
        return OpenCVEngine::run();
    }

    std::string description() const override { return plan_->description(); }

  private:
    const std::shared_ptr<onednn::Plan> plan_;
};

/// A network that no plan fits.
class UnplannedEngine final : public OpenCVEngine {
  public:
    UnplannedEngine(const NetworkFiles &files, std::string why)
        : OpenCVEngine(files, read_network(files)), why_(std::move(why)) {
        // One line, whatever the library says.
        std::replace_if(
            why_.begin(), why_.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    }

    std::string description() const override { return "all layers are OpenCV's own: " + why_; }

  private:
    std::string why_;
};

std::unique_ptr<Engine> with_plan(const NetworkFiles &files) {
    const SingleThread alone;
    const auto import = [&] { return read_network(files); };
    std::shared_ptr<onednn::Plan> plan;
    {
        const onednn::Shape input{1, files.input.channels, files.input.height, files.input.width};
        // Its weights go with it.
        const onednn::Graph graph =
            onednn::read_graph(import, input, [&](const cv::dnn::Net &net) { return output_names(files, net); });
        plan = std::make_shared<onednn::Plan>(graph);
    }
    auto engine = std::make_unique<OneDNNEngine>(files, onednn::import_with(import, plan), plan);
    // OpenCV allocates now; if that does not fit the plan, this is the time to see it.
    std::fill_n(engine->input(1), files.input.size(), 0.0f);
    engine->run();
    return engine;
}

}  // namespace

std::unique_ptr<Engine> load_opencv_onednn(const NetworkFiles &files) {
    prepare_opencv();
    try {
        return with_plan(files);
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &error) {
        // What is wrong with the network itself, OpenCV alone says as well.
        return std::make_unique<UnplannedEngine>(files, error.what());
    }
}

}  // namespace vision
