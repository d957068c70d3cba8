import Glibc
import NIOCore
import NIOPosix

/// The name of a listening Unix-domain socket in the file system. It is taken over from a server that is gone, refused
/// while one listens, and removed at the end unless another server has taken it over.
struct SocketFile: Sendable {
    let path: String
    private let device: dev_t
    private let inode: ino_t

    /// How long another process may hold the lock on the folder, in which it does the same.
    private static let lockPatience = Duration.seconds(2)
    private static let lockPause = Duration.milliseconds(10)

    /// A socket that listens. While another process has the folder, the task waits, and no thread.
    /// - Parameters:
    ///   - mode: of the file, from the moment it is there.
    ///   - patience: how long to wait for the folder.
    /// - Throws: `RPCError` UNAVAILABLE that says what is wrong with the path; CANCELLED.
    static func listen(
        _ path: String, mode: UInt32, backlog: Int32, patience: Duration = lockPatience
    ) async throws -> (SocketFile, CInt) {
        let end = ContinuousClock.now + patience
        do {
            while true {
                let made = try await NIOThreadPool.singleton.runIfActive {
                    try listenAtOnce(path, mode: mode, backlog: backlog)
                }
                if let made { return made }
                guard ContinuousClock.now < end else {
                    throw RPCError(.unavailable, "another process has locked its folder for \(patience)")
                }
                try await Task.sleep(for: lockPause)
            }
        } catch is CancellationError {
            throw RPCError(.cancelled, "cancelled while it waited for its folder")
        }
    }

    /// - Returns: nil if another process has the folder.
    private static func listenAtOnce(
        _ path: String, mode: UInt32, backlog: Int32
    ) throws(RPCError) -> (SocketFile, CInt)? {
        // Nobody else looks and binds between our look and our bind.
        guard let folder = try lockFolder(of: path) else { return nil }
        defer { close(folder) }
        try removeStale(path)
        let descriptor = try open()
        do throws(RPCError) {
            // Linux gives the file the mode that the socket has when it is bound.
            guard fchmod(descriptor, mode) == 0 else { throw failure("cannot set its mode") }
            guard try unsafe address(path).withSockAddr({ unsafe bind(descriptor, $0, socklen_t($1)) }) == 0 else {
                throw failure("cannot bind")
            }
            // What the process's umask has taken away.
            guard unsafe chmod(path, mode) == 0 else { throw failure("cannot set its mode") }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw failure("cannot listen") }
            var info = stat()
            guard unsafe lstat(path, &info) == 0 else { throw failure("it is gone") }
            return (SocketFile(path: path, device: info.st_dev, inode: info.st_ino), descriptor)
        } catch {
            close(descriptor)
            throw error
        }
    }

    func remove() {
        var info = stat()
        guard unsafe lstat(path, &info) == 0, info.st_dev == device, info.st_ino == inode else { return }
        unsafe unlink(path)
    }

    /// - Returns: nil if another process has it.
    private static func lockFolder(of path: String) throws(RPCError) -> CInt? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let folder = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
        let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open its folder") }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
        defer { close(descriptor) }
        if errno == EWOULDBLOCK || errno == EINTR { return nil }
        throw failure("cannot lock its folder")
    }

    private static func removeStale(_ path: String) throws(RPCError) {
        var info = stat()
        guard unsafe lstat(path, &info) == 0 else {
            if errno == ENOENT { return }
            throw failure("cannot look at it")
        }
        guard info.st_mode & S_IFMT == S_IFSOCK else { throw RPCError(.unavailable, "it is a file, not a socket") }
        let probe = try open()
        defer { close(probe) }
        let status = try unsafe address(path).withSockAddr { unsafe connect(probe, $0, socklen_t($1)) }
        // A full queue of connections is a sign of life, too.
        guard status != 0, errno != EAGAIN else { throw RPCError(.unavailable, "another server listens there") }
        guard errno == ECONNREFUSED else { throw failure("cannot ask who listens there") }
        unsafe unlink(path)
    }

    private static func open() throws(RPCError) -> CInt {
        let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(AF_UNIX, Int32(kind), 0)
        guard descriptor >= 0 else { throw failure("cannot make a socket") }
        return descriptor
    }

    private static func address(_ path: String) throws(RPCError) -> SocketAddress {
        do {
            return try SocketAddress(unixDomainSocketPath: path)
        } catch {
            throw RPCError(.unavailable, "the path is too long for a socket")
        }
    }

    private static func failure(_ what: String) -> RPCError {
        RPCError(.unavailable, "\(what): \(SystemError.text(errno: errno))")
    }
}
