import NIOCore

@testable import Messages
@testable import RPC

/// The first byte chooses the type.
enum MessagesTarget {
    private static func decode<T: WireCodable>(_ type: T.Type, _ bytes: ByteBuffer) {
        _ = try? T.decode(WireMessage(message: bytes))
        _ = try? T.decode(WireMessage(message: bytes, pixels: ByteBuffer(bytes: [1])))
    }

    static let decoders: [@Sendable (ByteBuffer) -> Void] = [
        { decode(AnalyzeRequest.self, $0) }, { decode(AnalyzeResponse.self, $0) }, { decode(DetectRequest.self, $0) },
        { decode(DetectResponse.self, $0) }, { decode(ClassifyRequest.self, $0) },
        { decode(ClassifyResponse.self, $0) }, { decode(ListPipelinesResponse.self, $0) },
        { decode(ListNodesResponse.self, $0) }, { decode(NodeDescription.self, $0) },
        { _ = try? HealthMessages.service(of: $0) }, { _ = try? HealthMessages.status(of: $0) },
        { _ = Timeout.parse([UInt8]($0.readableBytesView).span) }, { _ = StatusMessage.decode(String(buffer: $0)) },
        { decode(FusedRequest.self, $0) }, { decode(FusedResponse.self, $0) },
    ]

    static func run(_ bytes: [UInt8]) {
        guard let choice = bytes.first else { return }
        decoders[Int(choice) % decoders.count](ByteBuffer(bytes: bytes.dropFirst()))
    }
}
