// Where inputs are written: into the net's own memory, so that a run copies none of them.
#include <string>
#include <vector>

#include "../../Sources/CVision/engine_opencv.hpp"
#include "../../Sources/CVision/mat.hpp"
#include "networks.hpp"
#include "test.h"

namespace {

using namespace vision_tests;

/// After a run of a size, the net computes with what is written for the next one, though nobody hands it over.
void write_into_the_net(const Network &network) {
    const NetworkFiles files = network.files();
    cv::dnn::Net own = read_network(files);
    // The same net, not a copy.
    OpenCVEngine engine(files, own);
    std::vector<std::string> names{""};
    for (const std::string &name : output_names(files, own)) names.push_back(name);
    for (const int batch : {1, 3, 1}) {
        run(engine, network.input, batch, 1);
        float *input = engine.input(batch);
        fill(input, network.input.size() * static_cast<size_t>(batch), 2);
        // As the engine does it; other outputs would mean other memory.
        std::vector<std::vector<cv::Mat>> blobs;
        own.forward(blobs, names);
        EXPECT(blobs[0][0].ptr<float>() == input, "a batch of %d is not written into the net", batch);
        std::vector<Output> found;
        for (size_t i = 1; i < names.size(); i++) {
            const cv::Mat &blob = blobs[i][0];
            found.push_back({names[i],
                             {blob.size.p, blob.size.p + blob.dims},
                             {blob.ptr<float>(), blob.ptr<float>() + blob.total()}});
        }
        const auto reference = load_engine(VISION_ENGINE_OPENCV, files);
        expect_equal(found, run(*reference, network.input, batch, 2), network.name + ", written in place");
    }
}

}  // namespace

extern "C" void test_input(void) {
    prepare_opencv();
    write_into_the_net({"two layers", net(convolution(8, 3) + convolution(4, 1)), weights(3), {3, 24, 32}});
}
