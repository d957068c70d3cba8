import Foundation
import NIOCore

/// What is fed with bytes of anyone's making. Each must return in a defined state, whatever the bytes are.
///
/// `Tests/FuzzTests/seeds/NAME` holds good inputs to start from, `cases/NAME` inputs that once went wrong.
enum FuzzTarget: String, CaseIterable {
    /// Messages of one stream, cut into pieces; plain and with attachments.
    case deframer
    /// A client's bytes into a server's connection: HTTP/2, gRPC, health.
    case server
    /// A server's bytes into a client's connection with calls of both kinds.
    case client
    /// Messages of all types: protobuf-c behind our limits, and the pixels.
    case messages
    /// Questions to server reflection, and descriptors of which it makes its answers.
    case reflection

    func run(_ bytes: [UInt8]) {
        switch self {
        case .deframer: DeframerTarget.run(bytes)
        case .server: InMemoryServer.run(bytes)
        case .client: InMemoryClient.run(bytes)
        case .messages: MessagesTarget.run(bytes)
        case .reflection: ReflectionTarget.run(bytes)
        }
    }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    /// The files of `seeds` or `cases`.
    func inputs(_ kind: String) -> [(name: String, bytes: [UInt8])] {
        let place = Self.folder.appending(path: "\(kind)/\(rawValue)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
        return names.sorted().map { ($0, [UInt8]((try? Data(contentsOf: place.appending(path: $0))) ?? Data())) }
    }
}
