// A pipeline in a process of its own: a JPEG is decoded, what is in it detected, and the whole of it classified. The
// process first tells what it found in each picture, a line each: the top class, then class, x, y, width and height of
// each box. Then it answers each line on stdin, the index of a picture and for how many seconds to run: the
// milliseconds all of it took, then those of each frame's stages.
#pragma once

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace pipeline {

struct Box {
    int class_id;
    float x, y, width, height;
};

struct Found {
    int top;
    std::vector<Box> boxes;
};

/// Milliseconds of a frame; both networks' together.
struct Times {
    double decode = 0, preprocess = 0, infer = 0, postprocess = 0, total = 0;
};

class Stopwatch {
  public:
    double total() const { return milliseconds(start_); }

    /// Since the last lap.
    double lap() {
        const double passed = milliseconds(last_);
        last_ = std::chrono::steady_clock::now();
        return passed;
    }

  private:
    using Time = std::chrono::steady_clock::time_point;

    static double milliseconds(Time since) {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
    }

    const Time start_ = std::chrono::steady_clock::now();
    Time last_ = start_;
};

inline std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// `analyse` takes a JPEG, returns what it found and fills in the times of the stages.
template <typename Analyse>
void serve(const std::vector<std::string> &pictures, Analyse analyse) {
    Times times;
    for (const std::string &picture : pictures) {
        const Found found = analyse(picture, times);
        std::printf("%d", found.top);
        for (const Box &box : found.boxes) {
            std::printf(" %d %.2f %.2f %.2f %.2f", box.class_id, box.x, box.y, box.width, box.height);
        }
        std::printf("\n");
    }
    std::fflush(stdout);
    size_t index;
    double seconds;
    while (std::scanf("%zu %lf", &index, &seconds) == 2) {
        // Whoever had the core before has left its caches full of other things.
        analyse(pictures.at(index), times);
        std::vector<Times> frames;
        const Stopwatch turn;
        while (turn.total() < seconds * 1000) {
            const Stopwatch frame;
            analyse(pictures.at(index), times);
            times.total = frame.total();
            frames.push_back(times);
        }
        std::printf("%.4f", turn.total());
        for (const Times &t : frames) {
            std::printf(" %.4f %.4f %.4f %.4f %.4f", t.decode, t.preprocess, t.infer, t.postprocess, t.total);
        }
        std::printf("\n");
        std::fflush(stdout);
    }
}

}  // namespace pipeline
