import Glibc
import Synchronization

/// Says to others on this machine that a gateway has a folder, until it ends, however that is: the kernel takes back the
/// lock of one that was killed, and its name stays in the file of the lock.
///
/// Who comes first is alone for so long as it does not `share`, and so may do what takes that nobody else is there. A gateway
/// of a version that knows no such lock is not seen, and not in the file either: what it has stays its own.
final class Presence: Sendable {
    private static let sharePause: Duration = .milliseconds(10)
    /// Of names in the file; whoever finds no more room is not in it, and nobody ends its leases.
    static let maxBytes = 64 << 10

    /// Of those who had the folder before this came and are dead by now; beside others nobody knows of any.
    let dead: Set<String>
    private let isAlone: Bool
    private let shareTime: Duration
    /// Why there is no lock to be had here; nil: there is.
    private let openError: String?
    /// nil: there is no lock to be had here, or it was given back.
    private let descriptor: Mutex<Int32?>

    /// - Parameter shareTime: how long one that is alone is waited for.
    init(path: String, shareTime: Duration = .seconds(10)) {
        self.shareTime = shareTime
        let opened = unsafe open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0o600)
        openError = opened >= 0 ? nil : Self.text(errno)
        descriptor = Mutex(opened >= 0 ? opened : nil)
        isAlone = opened >= 0 && flock(opened, LOCK_EX | LOCK_NB) == 0
        dead = isAlone ? Self.names(in: opened) : []
    }

    deinit { end() }

    /// Others may have the folder too, and are not alone; waits for one that is. Nothing more is to be done with the dead.
    /// - Parameter name: in leases; of this life of the gateway alone.
    /// - Returns: why others will not know that it was here, so that what it has at its end stays its own until its leases are
    ///   over; nil: they will.
    func share(as name: String) async -> String? {
        // While nobody else can be in the file.
        descriptor.withLock { descriptor in
            if let descriptor, isAlone { _ = ftruncate(descriptor, 0) }
        }
        let end = ContinuousClock.now + shareTime
        while true {
            switch enter(name) {
            case .entered: return nil
            case .impossible(let reason): return reason
            case .awaited where ContinuousClock.now >= end: return "another gateway kept its lock for \(shareTime)"
            // Who is cancelled ends soon.
            case .awaited:
                guard (try? await Task.sleep(for: Self.sharePause)) != nil else { return "it ends" }
            }
        }
    }

    private enum Entry {
        case entered, awaited
        case impossible(String)
    }

    private func enter(_ name: String) -> Entry {
        descriptor.withLock { descriptor in
            guard let descriptor else { return .impossible(openError ?? "it is closed") }
            guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
                return errno == EWOULDBLOCK || errno == EINTR ? .awaited : .impossible(Self.text(errno))
            }
            guard lseek(descriptor, 0, SEEK_END) + name.utf8.count < Self.maxBytes else {
                return .impossible("there is no room in it for more than \(Self.maxBytes) bytes of names")
            }
            let line = Array("\(name)\n".utf8)
            let written = unsafe line.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            return written == line.count ? .entered : .impossible(written < 0 ? Self.text(errno) : "the disk is full")
        }
    }

    private static func text(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }

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
