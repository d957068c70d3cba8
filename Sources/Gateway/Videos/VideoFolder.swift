import Foundation
import Glibc
import Jobs
import NIOCore
import RPC

/// Where the files of videos lie. Their names are made of ids alone; nothing that a user says becomes part of a path.
///
/// Gateways that share a database share this folder.
struct VideoFolder: Sendable {
    enum Kind: String, CaseIterable {
        /// An upload that has not come to its end, or an annotated video that is being written.
        case part
        case video
        case annotated = "mp4"
    }

    struct Entry: Sendable, Equatable {
        var name: String
        var id: JobID
        var kind: Kind
        /// When it was written to last.
        var modifiedAt: JobTime
    }

    let path: String

    /// Makes the folder if it is not there, for this user alone.
    /// - Throws: `GatewayError` that names it.
    init(in data: String) throws {
        path = "\(data)/videos"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw GatewayError("cannot make the folder \(path): \(SystemError.text(error))", cause: error)
        }
    }

    func file(_ kind: Kind, of id: JobID) -> String { "\(path)/\(id).\(kind.rawValue)" }

    /// Bytes; 0: there is no such file.
    func size(_ kind: Kind, of id: JobID) async -> Int64 { await BlockingCall.run { bytes(kind, id) } }

    private func bytes(_ kind: Kind, _ id: JobID) -> Int64 {
        let found = try? FileManager.default.attributesOfItem(atPath: file(kind, of: id))
        return (found?[.size] as? NSNumber)?.int64Value ?? 0
    }

    /// Of the disk of these files, for this user; more than any where it does not say.
    func freeBytes() async -> Int64 { await Self.freeBytes(path) }

    /// The same where a database in a file is: in the folder around this one.
    func freeBytesForDatabase() async -> Int64 { await Self.freeBytes((path as NSString).deletingLastPathComponent) }

    private static func freeBytes(_ path: String) async -> Int64 {
        await BlockingCall.run {
            var found = statvfs()
            guard unsafe statvfs(path, &found) == 0 else { return .max }
            return Int64(clamping: UInt64(found.f_bavail) * UInt64(found.f_frsize))
        }
    }

    /// Of all files that a job keeps.
    func storedBytes(of id: JobID) async -> Int64 {
        await BlockingCall.run { Kind.allCases.reduce(0) { $0 + bytes($1, id) } }
    }

    /// All files of a job, those that are there.
    func remove(_ id: JobID) async {
        await BlockingCall.run {
            for kind in Kind.allCases { try? FileManager.default.removeItem(atPath: file(kind, of: id)) }
        }
    }

    func remove(_ entry: Entry) async {
        await BlockingCall.run { try? FileManager.default.removeItem(atPath: "\(path)/\(entry.name)") }
    }

    /// A file that got its name in this folder still has it after a power cut.
    /// - Throws: `IOError`.
    func keepNames() async throws { try await BlockingCall.run { try Self.keepNames(of: path) } }

    /// The same, for a thread that may wait.
    static func keepNames(of path: String) throws {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open folder") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw IOError(errnoCode: errno, reason: "fsync folder") }
    }

    /// What lies there, but for files that are not ours.
    func entries() async throws -> [Entry] { try await BlockingCall.run { try list() } }

    private func list() throws -> [Entry] {
        try FileManager.default.contentsOfDirectory(atPath: path).compactMap { name in
            guard let (id, kind) = Self.parsed(name),
                let found = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)"),
                let modified = found[.modificationDate] as? Date
            else { return nil }
            return Entry(
                name: name, id: id, kind: kind,
                modifiedAt: JobTime(milliseconds: Int64(modified.timeIntervalSince1970 * 1000)))
        }
    }

    /// `ID.KIND`, or what `framemesh-video` calls a file that it writes to `ID.mp4`: `ID.mp4.CHANCE.part`.
    private static func parsed(_ name: String) -> (JobID, Kind)? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
        guard let id = parts.first.flatMap({ JobID($0) }) else { return nil }
        if parts.count == 2, let kind = Kind(rawValue: parts[1]) { return (id, kind) }
        let isWritten = parts.count == 4 && parts[1] == Kind.annotated.rawValue && parts[3] == Kind.part.rawValue
        return isWritten ? (id, .part) : nil
    }
}
