import NIOCore

@testable import RPC

/// The first byte chooses: a question to the index of our own services, or descriptors that an index is made of and that
/// is then asked for whatever is in them.
enum ReflectionTarget {
    private static let index = try? DescriptorIndex(services: ["grpc.health.v1.Health"], sets: [.rpc])

    static func run(_ bytes: [UInt8]) {
        guard let choice = bytes.first else { return }
        let rest = ByteBuffer(bytes: bytes.dropFirst())
        if choice % 2 == 0 { ask(rest) } else { make(rest) }
    }

    private static func ask(_ question: ByteBuffer) {
        guard let index else { fatalError("our own descriptors are malformed") }
        guard let query = try? ReflectionMessages.query(question) else { return }
        let answer = ReflectionMessages.response(index.answer(query), to: question)
        if answer.readableBytes > DescriptorIndex.maxAnswerBytes + question.readableBytes + 64 {
            fatalError("an answer of \(answer.readableBytes) bytes")
        }
    }

    private static func make(_ descriptors: ByteBuffer) {
        let set = DescriptorSet(serialized: descriptors)
        guard let files = try? FileDescriptor.files(of: set) else { return }
        guard let index = try? DescriptorIndex(services: [], sets: [set]) else { return }
        for file in files {
            // A later file of the same name is the same, or there would be no index.
            guard case .error(.resourceExhausted, _) = index.answer(.file(file.name)) else {
                guard case .files = index.answer(.file(file.name)) else { fatalError("file '\(file.name)' is lost") }
                continue
            }
        }
        for symbol in files.flatMap(\.symbols) {
            if case .error(.notFound, _) = index.answer(.symbol(symbol)) { fatalError("symbol '\(symbol)' is lost") }
        }
        for one in files.flatMap(\.extensions) {
            if case .error(.notFound, _) = index.answer(.extension(one)) { fatalError("\(one) is lost") }
        }
    }
}
