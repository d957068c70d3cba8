import Glibc

/// Both ends of a child's three pipes while it is being started.
struct ChildEnds {
    private struct Pipe {
        var read: Int32
        var write: Int32

        init() throws(VideoError) {
            var ends: [Int32] = [-1, -1]
            guard unsafe Glibc.pipe(&ends) == 0 else {
                throw VideoError("cannot make a pipe: \(SystemError.text(errno))", isOfHelper: true)
            }
            read = Self.ours(ends[0])
            write = Self.ours(ends[1])
        }

        /// Not for other children. Swift does not see `pipe2`, so there is a moment in which one that is started by
        /// somebody else could inherit the end; helpers and Foundation's processes close what they inherit.
        private static func ours(_ end: Int32) -> Int32 {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            // Where a service was started without standard files, a new pipe could take their numbers.
            guard end <= STDERR_FILENO else { return end }
            defer { _ = Glibc.close(end) }
            return fcntl(end, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        }
    }

    private let input: Pipe
    private let output: Pipe
    private let errors: Pipe

    init() throws(VideoError) {
        input = try Pipe()
        do throws(VideoError) {
            output = try Pipe()
        } catch {
            Self.close([input])
            throw error
        }
        do throws(VideoError) {
            errors = try Pipe()
        } catch {
            Self.close([input, output])
            throw error
        }
    }

    /// Its standard input, output and error.
    var childSide: [Int32] { [input.read, output.write, errors.write] }

    /// Our ends; the child's are closed here.
    func parentSide() -> ChildPipes {
        for end in childSide { Glibc.close(end) }
        return ChildPipes(input: input.write, output: output.read, errors: errors.read)
    }

    func closeAll() { Self.close([input, output, errors]) }

    private static func close(_ pipes: [Pipe]) {
        for pipe in pipes {
            Glibc.close(pipe.read)
            Glibc.close(pipe.write)
        }
    }
}
