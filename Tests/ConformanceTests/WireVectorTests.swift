import Foundation
import HTTP2
import Messages
import NIOCore
import Services
import TestSupport
import Testing

@testable import RPC

/// The byte-level examples of docs/wire.md, run through the real parser and encoder.
@Suite struct WireVectorTests {
    // ---- messages ----

    @Test(arguments: try WireVector.read("plain") + WireVector.read("attachments"))
    func aStreamOfMessagesIsReadAsTheDocumentSays(_ vector: WireVector) throws {
        let wire = try vector.joined("wire")
        // In one piece, byte by byte, and cut at each place.
        try expect(vector, of: [wire])
        try expect(vector, of: wire.map { [$0] })
        for cut in 1..<max(2, wire.count) {
            try expect(vector, of: [Array(wire.prefix(cut)), Array(wire.dropFirst(cut))])
        }
    }

    private func expect(_ vector: WireVector, of pieces: [[UInt8]]) throws {
        let limits = ServerConfiguration()
        var parser = MessageParser(
            takesAttachments: vector.kind == "attachments", inflater: nil, maxMessageBytes: limits.maxMessageBytes,
            maxAttachmentBytes: limits.maxAttachmentBytes)
        var payloads: [Payload] = []
        var failure: RPCError?
        for piece in pieces {
            var input = ByteBuffer(bytes: piece)
            parsing: while failure == nil {
                switch parser.next(&input) {
                case .needsMore: break parsing
                case .sized:
                    do { try parser.begin() } catch { failure = error }
                case .message(let payload): payloads.append(payload)
                case .failed(let error): failure = error
                }
            }
        }
        #expect(failure.map { "\($0.code)" } == vector.lines("status").first)
        #expect(try payloads.map(\.message) == vector.lines("message").map { ByteBuffer(bytes: try hex($0)) })
        #expect(
            try payloads.compactMap(\.attachment) == vector.lines("attachment").map { ByteBuffer(bytes: try hex($0)) })
        let endsInside = !vector.lines("end").isEmpty
        if failure == nil { #expect(parser.isBetweenMessages == !endsInside) }
    }

    @Test(arguments: try WireVector.read("plain") + WireVector.read("attachments"))
    func whatIsReadIsWrittenTheSame(_ vector: WireVector) throws {
        guard vector.lines("status").isEmpty, vector.lines("end").isEmpty else { return }
        var written: [UInt8] = []
        for payload in try vector.payloads() { written += payload.bytes(attachments: vector.kind == "attachments") }
        #expect(try written == vector.joined("wire"))
    }

    @Test func aPictureHasBothForms() throws {
        let vector = try #require(WireVector.read("pixels").first)
        let request = DetectRequest(
            frame: Frame(
                stream: "cam", sequence: 7, encoding: .jpeg,
                payload: .attached(ByteBuffer(bytes: try vector.joined("attachment")))), model: "m")
        let payload = Payload(request)
        #expect(try payload.message == ByteBuffer(bytes: vector.joined("message")))
        #expect(try payload.preamble == ByteBuffer(bytes: vector.joined("preamble")))
        #expect(try payload.attachment == ByteBuffer(bytes: vector.joined("attachment")))
        #expect(try payload.bytes(attachments: false) == vector.joined("plain"))
        #expect(try payload.bytes(attachments: true) == vector.joined("attached"))
        // And back, from the plain form.
        let plain = ByteBuffer(bytes: try vector.joined("plain").dropFirst(5))
        let received = try DetectRequest.decode(Payload(plain))
        #expect(received.model == "m")
        #expect(received.frame.stream == "cam")
        #expect(try received.frame.payload.bytes == ByteBuffer(bytes: vector.joined("attachment")))
    }

    @Test(arguments: try WireVector.read("gzip") + WireVector.read("deflate"))
    func compressedMessagesAreReadAsTheDocumentSays(_ vector: WireVector) throws {
        let compression = try #require(Compression(rawValue: vector.kind))
        let inflater = Inflater(compression: compression, maxBytes: 1000, budget: MemoryBudget(limit: 1 << 20))
        var parser = MessageParser(
            takesAttachments: false, inflater: inflater, maxMessageBytes: 1000, maxAttachmentBytes: 0)
        var input = ByteBuffer(bytes: try vector.joined("wire"))
        var inflated: [ByteBuffer] = []
        do throws(RPCError) {
            while case .sized = parser.next(&input) {
                try parser.begin()
                guard case .message(let payload) = parser.next(&input) else { break }
                inflated.append(try payload.inflated().message)
            }
        } catch {
            #expect("\(error.code)" == vector.lines("refused").first)
        }
        #expect(try inflated == vector.lines("inflated").map { ByteBuffer(bytes: try hex($0)) })
    }

    // ---- header fields ----

    @Test func metadataIsReadAsTheDocumentSays() throws {
        let vector = try #require(WireVector.read("metadata").first)
        let fields = vector.lines("field").map { line in
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            return HeaderField(words[0], words[1].trimmingCharacters(in: .whitespaces))
        }
        let metadata = try Metadata.decode(fields, upTo: 128)
        var wanted = Metadata()
        for line in vector.text {
            let words = line.split(separator: " ").map(String.init)
            if words[0] == "ascii" { wanted.add(words[1], words[2]) }
            if words[0] == "binary" { wanted.add(words[1], bytes: try hex(words[2])) }
        }
        #expect(metadata == wanted)
    }

    @Test func timeoutsAreReadAndWrittenAsTheDocumentSays() throws {
        for vector in try WireVector.read("timeout") {
            #expect(!vector.text.isEmpty)
            for line in vector.text {
                let words = line.split(separator: " ").map(String.init)
                let duration = Duration.nanoseconds(try #require(Int64(words[1])))
                if vector.name == "read" {
                    let read = Timeout.parse(words[0].utf8.span)
                    #expect(read == duration)
                } else {
                    #expect(Timeout.encode(duration) == words[0])
                }
            }
        }
    }

    @Test func statusMessagesAreEncodedAsTheDocumentSays() throws {
        let vector = try #require(WireVector.read("status-message").first)
        for line in vector.text {
            let columns = line.components(separatedBy: "  ").filter { !$0.isEmpty }
            let (text, value) = (columns[0], columns[1].trimmingCharacters(in: .whitespaces))
            #expect(StatusMessage.encode(text) == value)
            #expect(StatusMessage.decode(value) == text)
        }
    }
}

extension Payload {
    fileprivate func bytes(attachments: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = write(attachments: attachments) { bytes += $0.readableBytesView }
        return bytes
    }
}
