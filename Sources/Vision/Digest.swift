internal import Crypto
internal import Foundation

extension SHA256 {
    static func hex(of bytes: [UInt8]) -> String { hex(hash(data: bytes)) }

    /// Lower-case hexadecimal.
    static func hex(_ digest: SHA256Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension ModelFile {
    private static let chunkBytes = 1 << 20

    /// Reads the file once, checks its size and digest, and hands each piece to `take`.
    ///
    /// So what is loaded is what was checked, even if the file is replaced meanwhile.
    func verified(model: String, take: (Data) -> Void = { _ in }) throws(VisionError) {
        guard let path else {
            // What is published nowhere cannot be pulled.
            let pull = url == nil ? "" : "get it with 'framemesh models pull \(model)', or "
            throw VisionError(
                .notFound, "model \(model): file \(name) is not here; \(pull)name its folder in FRAMEMESH_MODELS")
        }
        func failed(_ what: String) -> VisionError { VisionError(.badModel, "model \(model): file \(path) \(what)") }
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        // A FIFO or a device would block or never end.
        let type = try? FileManager.default.attributesOfItem(atPath: resolved)[.type] as? FileAttributeType
        guard type == .typeRegular, let handle = FileHandle(forReadingAtPath: resolved) else {
            throw failed("cannot be read")
        }

        var hash = SHA256()
        var size = 0
        do {
            while let piece = try handle.read(upToCount: Self.chunkBytes), !piece.isEmpty {
                size += piece.count
                guard size <= bytes else { break }
                hash.update(data: piece)
                take(piece)
            }
        } catch {
            throw failed("cannot be read")
        }
        // The digest says it all, but a size tells people more.
        guard size == bytes else {
            let more = size > bytes ? "more than " : ""
            throw failed("has \(more)\(min(size, bytes)) bytes instead of \(bytes), so not the sha256 of its manifest")
        }
        let found = SHA256.hex(hash.finalize())
        guard found == sha256 else { throw failed("has sha256 \(found) instead of \(sha256)") }
    }

    /// The whole file, checked.
    func verifiedBytes(model: String) throws(VisionError) -> [UInt8] {
        var all: [UInt8] = []
        all.reserveCapacity(bytes)
        try verified(model: model) { all.append(contentsOf: $0) }
        return all
    }
}
