// What nets on oneDNN have in common, and what their layers refuse. Built without oneDNN there is nothing to test.
#include "test.h"

#ifdef VISION_ONEDNN
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../../Sources/CVision/engine_opencv.hpp"
#include "../../Sources/CVision/mat.hpp"
#include "../../Sources/CVision/onednn/plan.hpp"
#include "../../Sources/CVision/onednn/weights.hpp"
#include "networks.hpp"

/// Of libgomp, which Debian's oneDNN runs on.
extern "C" int omp_get_max_threads();
extern "C" void omp_set_num_threads(int);

namespace {

using namespace vision_tests;
using namespace vision::onednn;

/// Each net of a process has its own `Weights` of a convolution; the bytes are there once, in whatever order.
void share_weights() {
    const Shape shape{32, 16, 3, 3};
    Operation operation{};
    operation.kind = Operation::convolution;
    operation.weights.create(4, shape.data(), CV_32F);
    fill(operation.weights.ptr<float>(), operation.weights.total(), 5);
    operation.bias.assign(32, 0.5f);
    const dnnl::memory::desc rows = plain(shape, 1);
    const dnnl::memory::desc blocks(rows.dims(), dnnl::memory::data_type::f32, dnnl::memory::format_tag::OIhw16i16o);

    Weights one(operation), two(operation);
    const void *in_rows = one.in(rows);
    EXPECT(std::memcmp(in_rows, operation.weights.ptr(), rows.get_size()) == 0,
           "rows are not the weights as they came");
    EXPECT(two.in(rows) == in_rows, "two nets have the weights in rows twice");
    const void *in_blocks = one.in(blocks);
    EXPECT(std::memcmp(in_blocks, in_rows, rows.get_size()) != 0, "blocks are in the order of rows");
    EXPECT(two.in(blocks) == in_blocks, "two nets have the weights in blocks twice");
    EXPECT(one.in(rows) == in_rows, "rows went when blocks were asked for");
    EXPECT(one.bias() == two.bias(), "two nets have the biases twice");
    // Rows that are made of blocks.
    Weights three(operation);
    EXPECT(three.in(blocks) == in_blocks, "a third net has the weights in blocks again");
    EXPECT(three.in(rows) == in_rows, "a third net has the weights in rows again");
    // One number is another.
    operation.weights.ptr<float>()[0] += 1;
    Weights other(operation);
    EXPECT(other.in(rows) != in_rows && other.in(blocks) != in_blocks, "a net has the weights of another one");
}

/// A net whose input has changed answers with an error, and goes on with what it was loaded for.
void refuse_other_sizes() {
    const Network network{"two layers", net(convolution(8, 3) + convolution(4, 1)), weights(3), {3, 24, 32}};
    const NetworkFiles files = network.files();
    const auto import = [&] { return read_network(files); };
    const auto plan = std::make_shared<Plan>(read_graph(
        import, {1, 3, 24, 32}, [&](const cv::dnn::Net &imported) { return output_names(files, imported); }));
    cv::dnn::Net fast = import_with(import, plan);
    fast.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    fast.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    const auto refusal = [&](const Shape &shape) -> std::string {
        try {
            fast.setInput(cv::Mat(shape, CV_32F, cv::Scalar(0.5)));
            fast.forward();
            return "";
        } catch (const std::exception &error) {
            return error.what();
        }
    };
    const Shape right{1, 3, 24, 32};
    // Larger, smaller, and a batch that was not prepared.
    for (const Shape &wrong : {Shape{1, 3, 48, 64}, Shape{1, 3, 12, 16}, Shape{2, 3, 24, 32}}) {
        std::string why = refusal(right);
        EXPECT(why.empty(), "the right size is refused: %s", why.c_str());
        const std::string expected =
            "a blob of " + std::to_string(count(wrong)) + " numbers has another size than the network was loaded for";
        why = refusal(wrong);
        EXPECT(why == expected, "'%s', not '%s'", why.c_str(), expected.c_str());
    }
    const std::string why = refusal(right);
    EXPECT(why.empty(), "the right size is refused after wrong ones: %s", why.c_str());
}

}  // namespace

extern "C" void test_onednn(void) {
    prepare_opencv();
    // As engines do it.
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    share_weights();
    refuse_other_sizes();
    omp_set_num_threads(before);
}
#else
extern "C" void test_onednn(void) {
    printf("SKIPPED: weights and sizes on oneDNN: it is not in this build\n");
}
#endif
