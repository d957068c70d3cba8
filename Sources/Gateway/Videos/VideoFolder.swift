import Foundation
import Jobs

/// Where the files of videos lie. Their names are made of ids alone; nothing that a user says becomes part of a path.
///
/// Gateways that share a database share this folder.
struct VideoFolder: Sendable {
    enum Kind: String, CaseIterable {
        /// An upload that has not come to its end.
        case part
        case video
        case annotated = "mp4"
    }

    struct Entry: Sendable, Equatable {
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
            throw GatewayError("cannot make the folder \(path)", cause: error)
        }
    }

    func file(_ kind: Kind, of id: JobID) -> String { "\(path)/\(id).\(kind.rawValue)" }

    /// Bytes; 0: there is no such file.
    func size(_ kind: Kind, of id: JobID) -> Int64 {
        let found = try? FileManager.default.attributesOfItem(atPath: file(kind, of: id))
        return (found?[.size] as? NSNumber)?.int64Value ?? 0
    }

    /// Of all files that a job keeps.
    func storedBytes(of id: JobID) -> Int64 { Kind.allCases.reduce(0) { $0 + size($1, of: id) } }

    /// All files of a job, those that are there.
    func remove(_ id: JobID) {
        for kind in Kind.allCases { try? FileManager.default.removeItem(atPath: file(kind, of: id)) }
    }

    func remove(_ entry: Entry) { try? FileManager.default.removeItem(atPath: file(entry.kind, of: entry.id)) }

    /// What lies there, but for files that are not ours.
    func entries() throws -> [Entry] {
        try FileManager.default.contentsOfDirectory(atPath: path).compactMap { name in
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let id = JobID(String(parts[0])), let kind = Kind(rawValue: String(parts[1])),
                let found = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)"),
                let modified = found[.modificationDate] as? Date
            else { return nil }
            return Entry(
                id: id, kind: kind,
                modifiedAt: JobTime(milliseconds: Int64(modified.timeIntervalSince1970 * 1000)))
        }
    }
}
