import Glibc
import Synchronization

/// Says to others on this machine that a process has a folder, until it ends, however that is: the kernel takes back the
/// lock of one that was killed.
///
/// Who comes first is alone for so long as it does not `share`, and so may do what takes that nobody else is there.
final class Presence: Sendable {
    /// Nobody else had the folder when this came: whoever is said to have something of it is dead.
    let isAlone: Bool
    /// nil: there is no lock to be had here, or it was given back.
    private let descriptor: Mutex<Int32?>

    init(path: String) {
        let opened = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        descriptor = Mutex(opened >= 0 ? opened : nil)
        isAlone = opened >= 0 && flock(opened, LOCK_EX | LOCK_NB) == 0
    }

    deinit { end() }

    /// Others may have the folder too, and are not alone.
    func share() {
        // It waits for one that is alone, which is not for long.
        descriptor.withLock { descriptor in
            guard let descriptor else { return }
            while flock(descriptor, LOCK_SH) != 0, errno == EINTR {}
        }
    }

    func end() {
        if let descriptor = descriptor.withLock({ $0.take() }) { _ = close(descriptor) }
    }
}
