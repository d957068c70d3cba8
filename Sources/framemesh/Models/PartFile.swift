import Foundation
import RPC

/// `NAME.part`: a file that is not whole yet, beside its place.
struct PartFile {
    let path: String
    /// Where it goes when it is whole.
    let place: String
    private let url: URL

    init(place: String) {
        self.place = place
        path = place + ".part"
        url = URL(fileURLWithPath: path)
    }

    var stored: StoredFile { StoredFile(path: path) }

    /// For writing behind byte `offset`; what was beyond is cut.
    func open(at offset: UInt64) throws(Fatal) -> FileHandle {
        do {
            if !FileManager.default.fileExists(atPath: path) { try Data().write(to: url) }
            let handle = try FileHandle(forWritingTo: url)
            try handle.truncate(atOffset: offset)
            try handle.seek(toOffset: offset)
            return handle
        } catch {
            throw Fatal("cannot write \(path): \(SystemError.text(error))")
        }
    }

    /// Takes its place, in one step.
    func keep() throws {
        guard unsafe rename(path, place) == 0 else {
            throw Fatal("cannot move \(path) to \(place): \(SystemError.text(errno: errno))")
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
