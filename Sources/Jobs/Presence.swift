import Glibc
import Synchronization

/// Says to others on this machine that a gateway has a folder, until it ends, however that is: the kernel takes back the
/// lock of one that was killed, and its name stays in the file of the lock.
///
/// Who comes first is alone for so long as it does not `share`, and so may do what takes that nobody else is there. A gateway
/// of a version that knows no such lock is not seen, and not in the file either: what it has stays its own.
final class Presence: Sendable {
    /// How long one that is alone is waited for.
    static let shareTime: Duration = .seconds(10)
    private static let sharePause: Duration = .milliseconds(10)
    /// Of names in the file; whoever finds no more room is not in it, and nobody ends its leases.
    static let maxBytes = 64 << 10

    /// Of those who had the folder before this came and are dead by now; beside others nobody knows of any.
    let dead: Set<String>
    private let isAlone: Bool
    /// nil: there is no lock to be had here, or it was given back.
    private let descriptor: Mutex<Int32?>

    init(path: String) {
        let opened = unsafe open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0o600)
        descriptor = Mutex(opened >= 0 ? opened : nil)
        isAlone = opened >= 0 && flock(opened, LOCK_EX | LOCK_NB) == 0
        dead = isAlone ? Self.names(in: opened) : []
    }

    deinit { end() }

    /// Others may have the folder too, and are not alone; waits for one that is. Nothing more is to be done with the dead.
    /// - Parameter name: in leases; of this life of the gateway alone.
    func share(as name: String) async {
        // While nobody else can be in the file.
        descriptor.withLock { descriptor in
            if let descriptor, isAlone { _ = ftruncate(descriptor, 0) }
        }
        let end = ContinuousClock.now + Self.shareTime
        while !enter(name), ContinuousClock.now < end {
            // Who is cancelled ends soon.
            guard (try? await Task.sleep(for: Self.sharePause)) != nil else { return }
        }
    }

    /// - Returns: whether there is nothing to wait for.
    private func enter(_ name: String) -> Bool {
        descriptor.withLock { descriptor in
            guard let descriptor else { return true }
            guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return errno != EWOULDBLOCK && errno != EINTR }
            if lseek(descriptor, 0, SEEK_END) + name.utf8.count < Self.maxBytes {
                _ = unsafe Array("\(name)\n".utf8).withUnsafeBytes {
                    unsafe write(descriptor, $0.baseAddress, $0.count)
                }
            }
            return true
        }
    }

    func end() {
        if let descriptor = descriptor.withLock({ $0.take() }) { _ = close(descriptor) }
    }

    private static func names(in descriptor: Int32) -> Set<String> {
        var bytes = [UInt8](repeating: 0, count: maxBytes)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        return Set(
            bytes.prefix(max(0, count)).split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        )
    }
}
