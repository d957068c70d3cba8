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

}  // namespace

std::unique_ptr<Engine> load_opencv_onednn(const NetworkFiles &files) {
    prepare_opencv();
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
    return std::make_unique<OneDNNEngine>(files, onednn::import_with(import, plan), plan);
}

}  // namespace vision
