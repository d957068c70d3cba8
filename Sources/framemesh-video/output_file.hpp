// A file that is in its place under its name when it is whole, or not at all.
#pragma once

#include <string>

namespace framemesh {

/// Has no name while it is written, so that nothing is left however this process ends. Where the file system cannot do
/// that (no O_TMPFILE), it is called `NAME.CHANCE.part` in the same folder until then, so that whoever finds it knows whose
/// it was.
class OutputFile {
  public:
    /// - chance: sixteen letters of chance for its name; empty: those of this process.
    OutputFile(const std::string& path, const std::string& chance);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    /// What FFmpeg opens.
    const std::string& url() const { return url_; }
    /// True: nothing is left even after a SIGKILL.
    bool is_nameless() const { return nameless_; }
    /// To disk, and in its place; what was there under the name is replaced.
    void commit();

  private:
    [[noreturn]] void fail(int error) const;
    std::string path_, part_, url_;
    int descriptor_ = -1;
    bool nameless_ = false;
    bool part_is_there_ = false;
};

}  // namespace framemesh
