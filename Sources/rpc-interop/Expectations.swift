import NIOCore
import RPC

/// Why a test case did not pass.
struct Failed: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func expect<Value: Equatable>(_ what: String, _ got: Value, is wanted: Value) throws {
    guard got == wanted else { throw Failed("\(what) is \(got), wanted \(wanted)") }
}

/// The size, and that all bytes are zero.
func expect(_ what: String, _ body: ByteBuffer?, isZeros size: Int) throws {
    try expect("size of \(what)", body?.readableBytes ?? 0, is: size)
    guard body?.readableBytesView.allSatisfy({ $0 == 0 }) ?? true else {
        throw Failed("\(what) has bytes other than 0")
    }
}

/// - Parameter message: of the status; nil: any.
func expect(
    _ what: String, fails code: StatusCode, message: String? = nil, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as RPCError {
        try expect("status of \(what) (\(error.message))", error.code, is: code)
        if let message { try expect("message of \(what)", error.message, is: message) }
        return
    }
    throw Failed("\(what) did not fail, wanted \(code)")
}

func zeros(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0, count: count) }
