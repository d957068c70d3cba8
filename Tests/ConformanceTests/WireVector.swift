import Foundation
import NIOCore
import RPC
import TestSupport
import Testing

/// One block of docs/wire.md that begins with `vector KIND: NAME`.
struct WireVector: Sendable, CustomTestStringConvertible {
    var kind: String
    var name: String
    /// The lines of the block.
    var text: [String]

    var testDescription: String { "\(kind): \(name)" }

    static func read(_ kind: String) throws -> [WireVector] {
        let document = PythonScript.root.appending(path: "docs/wire.md")
        var vectors: [WireVector] = []
        var current: WireVector?
        for line in try String(contentsOf: document, encoding: .utf8).components(separatedBy: "\n") {
            if line.hasPrefix("```vector ") {
                let title = line.dropFirst("```vector ".count).split(separator: ":", maxSplits: 1)
                current = WireVector(
                    kind: String(title[0]),
                    name: title.dropFirst().first.map { $0.trimmingCharacters(in: .whitespaces) } ?? "",
                    text: [])
            } else if line.hasPrefix("```") {
                if let current, current.kind == kind { vectors.append(current) }
                current = nil
            } else {
                current?.text.append(line)
            }
        }
        guard !vectors.isEmpty else { throw Failure("\(document.path) has no vectors '\(kind)'") }
        return vectors
    }

    /// What follows `word` on each line that begins with it.
    func lines(_ word: String) -> [String] {
        text.filter { $0.split(separator: " ").first.map(String.init) == word }
            .map { $0.dropFirst(word.count).trimmingCharacters(in: .whitespaces) }
    }

    /// The bytes of all lines that begin with `word`.
    func joined(_ word: String) throws -> [UInt8] { try lines(word).flatMap { try hex($0) } }

    /// An attachment belongs to the message before it.
    func payloads() throws -> [Payload] {
        var payloads: [Payload] = []
        for line in text {
            guard let word = line.split(separator: " ").first else { continue }
            let bytes = ByteBuffer(
                bytes: word == "message" || word == "attachment" ? try hex(String(line.dropFirst(word.count))) : [])
            if word == "message" { payloads.append(Payload(bytes)) }
            if word == "attachment", !payloads.isEmpty { payloads[payloads.count - 1].attachment = bytes }
        }
        return payloads
    }
}

func hex(_ text: String) throws -> [UInt8] {
    let digits = text.filter { $0 != " " }
    guard digits.count % 2 == 0 else { throw Failure("'\(text)' is not hexadecimal") }
    var bytes: [UInt8] = []
    var rest = digits[...]
    while !rest.isEmpty {
        guard let byte = UInt8(rest.prefix(2), radix: 16) else { throw Failure("'\(text)' is not hexadecimal") }
        bytes.append(byte)
        rest = rest.dropFirst(2)
    }
    return bytes
}
