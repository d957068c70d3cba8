import Glibc
import NIOCore

/// Our ends of a child's pipes; used by one thread, which blocks in them. Whatever the child says on its standard error
/// is taken meanwhile, so that it never waits for us there. All ends close with the value.
struct ChildPipes: ~Copyable {
    private var input: Int32
    private let output: Int32
    private var errors: Int32
    private var errorTail: [UInt8] = []

    /// Takes the descriptors.
    init(input: Int32, output: Int32, errors: Int32) {
        self.input = input
        self.output = output
        self.errors = errors
        for end in [input, output, errors] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
        for end in [input, output] { _ = fcntl(end, VideoPipe.setSize, VideoLimits.pipeBytes) }
    }

    deinit {
        if input >= 0 { close(input) }
        if errors >= 0 { close(errors) }
        close(output)
    }

    /// The last line of what the child said on standard error.
    var lastWords: String {
        let lines = errorTail.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
        return lines.last.map { Record.printable($0) } ?? ""
    }

    /// - Returns: false if the pipe ends before.
    mutating func read(_ count: Int, into buffer: inout ByteBuffer) -> Bool {
        var missing = count
        while missing > 0 {
            var failure: Int32 = 0
            let got = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { bytes in
                let got = unsafe Glibc.read(output, bytes.baseAddress, missing)
                if got < 0 { failure = errno }
                return max(0, got)
            }
            missing -= got
            if got > 0 { continue }
            switch failure {
            case EINTR: continue
            case EAGAIN: wait(for: output, POLLIN)
            default: return false
            }
        }
        return true
    }

    /// - Returns: false if nobody reads any more.
    mutating func write(_ bytes: ByteBuffer) -> Bool {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            var failure: Int32 = 0
            let written = unsafe bytes.readWithUnsafeReadableBytes { bytes in
                let written = unsafe Glibc.write(input, bytes.baseAddress, bytes.count)
                if written < 0 { failure = errno }
                return max(0, written)
            }
            if written > 0 { continue }
            switch failure {
            case EINTR: continue
            case EAGAIN: wait(for: input, POLLOUT)
            default: return false
            }
        }
        return true
    }

    mutating func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Takes the rest of standard error, for so long. False: it is still open then.
    mutating func drainErrors(milliseconds: Int32) -> Bool {
        while errors >= 0 {
            var one = [pollfd(fd: errors, events: Int16(POLLIN), revents: 0)]
            let count = unsafe poll(&one, 1, milliseconds)
            if count == 0 { return false }
            if count < 0, errno != EINTR { return false }
            takeErrors()
        }
        return true
    }

    private mutating func wait(for end: Int32, _ event: Int32) {
        // A negative descriptor is left out by poll.
        var both = [
            pollfd(fd: end, events: Int16(event), revents: 0), pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&both, 2, -1)
        if both[1].revents != 0 { takeErrors() }
    }

    private mutating func takeErrors() {
        var chunk = [UInt8](repeating: 0, count: VideoLimits.errorTailBytes)
        let got = unsafe Glibc.read(errors, &chunk, chunk.count)
        if got > 0 {
            errorTail = (errorTail + chunk.prefix(got)).suffix(VideoLimits.errorTailBytes)
        } else if got == 0 || (errno != EAGAIN && errno != EINTR) {
            close(errors)
            errors = -1
        }
    }
}

private enum VideoPipe {
    /// F_SETPIPE_SZ, whose macro Swift does not see (linux/fcntl.h).
    static let setSize: Int32 = 1024 + 7
}
