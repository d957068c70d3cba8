#include "output_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "protocol.hpp"

namespace framemesh {
namespace {

/// Of a name, what a part's name begins with: names have at most 255 bytes.
constexpr size_t kLongestBegin = 200;

/// Nobody else's: processes of several machines or containers may write one file, and have one number.
std::string chance_of_this() {
    uint64_t chance = 0;
    if (getrandom(&chance, sizeof chance, 0) != ssize_t(sizeof chance)) throw Failure("no random numbers");
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(chance));
    return text;
}

/// The parent makes the same name, to remove what a killed process leaves (Sources/Video/PartName.swift).
std::string part_name(const std::string& name, const std::string& chance) {
    return name.substr(0, kLongestBegin) + "." + (chance.empty() ? chance_of_this() : chance) + ".part";
}

}  // namespace

OutputFile::OutputFile(const std::string& path, const std::string& chance) : path_(path) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
        throw Failure(path + ": " + (S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file"));
    }
    size_t slash = path.rfind('/');
    std::string folder = slash == std::string::npos ? "./" : path.substr(0, slash + 1);
    part_ = folder + part_name(slash == std::string::npos ? path : path.substr(slash + 1), chance);
    descriptor_ = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) {
        nameless_ = true;
        url_ = "file:/proc/self/fd/" + std::to_string(descriptor_);
        return;
    }
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) fail(errno);
    descriptor_ = open(part_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail(errno);
    part_is_there_ = true;
    url_ = "file:" + part_;
}

OutputFile::~OutputFile() {
    if (part_is_there_) unlink(part_.c_str());
    close(descriptor_);
}

void OutputFile::fail(int error) const {
    throw Failure(path_ + ": " + std::strerror(error));
}

void OutputFile::commit() {
    if (fsync(descriptor_) != 0) fail(errno);
    if (nameless_) {
        // A link cannot replace a file, a rename can.
        std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
        if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, part_.c_str(), AT_SYMLINK_FOLLOW) != 0) fail(errno);
        part_is_there_ = true;
    }
    if (rename(part_.c_str(), path_.c_str()) != 0) fail(errno);
    part_is_there_ = false;
}

}  // namespace framemesh
