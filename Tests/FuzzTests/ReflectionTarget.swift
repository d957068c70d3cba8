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
        guard let found = try? index.answer(query) else { return }
        let answer = ReflectionMessages.response(found, to: question)
        if answer.readableBytes > Reflection.defaultMaxAnswerBytes + question.readableBytes + 64 {
            fatalError("an answer of \(answer.readableBytes) bytes")
        }
    }

    private static func make(_ descriptors: ByteBuffer) {
        let set = DescriptorSet(serialized: descriptors)
        guard let files = try? FileDescriptor.files(of: set) else { return }
        guard let index = try? DescriptorIndex(services: [], sets: [set]) else { return }
        for file in files {
            // A later file of the same name is the same, or there would be no index.
            if isMissing(index, .file(file.name)) { fatalError("file '\(file.name)' is lost") }
        }
        for symbol in files.flatMap(\.symbols) {
            if isMissing(index, .symbol(symbol)) { fatalError("symbol '\(symbol)' is lost") }
        }
        for one in files.flatMap(\.extensions) {
            if isMissing(index, .extension(one)) { fatalError("\(one) is lost") }
        }
    }

    /// What is too large for an answer is there.
    private static func isMissing(_ index: DescriptorIndex, _ query: ReflectionMessages.Query) -> Bool {
        if case .error? = try? index.answer(query) { true } else { false }
    }
}
