// One engine with one network, in a process of its own: answers each line on stdin, a number of passes, with the
// milliseconds of each of them.
//   forward ENGINE NETWORK WEIGHTS|- WIDTH HEIGHT CHANNELS
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "../../Sources/CVision/engine.hpp"

namespace {

using namespace vision;

std::string read_file(const char *path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Span span(const std::string &bytes) {
    return {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()};
}

void fill(Engine &engine, InputShape shape) {
    float *input = engine.input(1);
    std::minstd_rand random(7);
    for (size_t i = 0; i < shape.size(); i++) input[i] = static_cast<float>(random() % 2001) / 1000 - 1;
}

double milliseconds_of_a_pass(Engine &engine) {
    const auto start = std::chrono::steady_clock::now();
    engine.run();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Resident memory of this process, KiB; what is free goes back to the system first.
long resident() {
    malloc_trim(0);
    std::ifstream file("/proc/self/statm");
    long size = 0, pages = 0;
    file >> size >> pages;
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

std::unique_ptr<Engine> loaded(vision_engine engine, const NetworkFiles &files) {
    auto made = load_engine(engine, files);
    fill(*made, files.input);
    made->run();
    fill(*made, files.input);
    made->run();
    return made;
}

int run(char **arguments) {
    const std::string name = arguments[1];
    const vision_engine engine = name == "openvino"        ? VISION_ENGINE_OPENVINO
                                 : name == "opencv+onednn" ? VISION_ENGINE_OPENCV_ONEDNN
                                                           : VISION_ENGINE_OPENCV;
    const std::string network = read_file(arguments[2]);
    const std::string weights = arguments[3] == std::string("-") ? "" : read_file(arguments[3]);
    const InputShape shape{std::atoi(arguments[6]), std::atoi(arguments[5]), std::atoi(arguments[4])};
    const NetworkFiles files{weights.empty() ? VISION_ONNX : VISION_DARKNET, span(network), span(weights), "", shape};
    const long before = resident();
    const auto start = std::chrono::steady_clock::now();
    const auto first = loaded(engine, files);
    const double load = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    const long one = resident();
    long four;
    {
        std::vector<std::unique_ptr<Engine>> others;
        for (int i = 0; i < 4; i++) others.push_back(loaded(engine, files));
        four = resident();
    }
    std::printf("%.1f %ld %ld %s\n", load, one - before, (four - one) / 4, first->description().c_str());
    std::fflush(stdout);
    int passes;
    while (std::scanf("%d", &passes) == 1) {
        for (int i = 0; i < passes; i++) {
            fill(*first, shape);
            std::printf("%.4f ", milliseconds_of_a_pass(*first));
        }
        std::printf("\n");
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 7) {
        std::fprintf(stderr, "usage: forward ENGINE NETWORK WEIGHTS|- WIDTH HEIGHT CHANNELS\n");
        return 2;
    }
    try {
        return run(arguments);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "forward: %s\n", error.what());
        return 1;
    }
}
