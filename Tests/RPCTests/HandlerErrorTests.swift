import NIOCore
import Testing

@testable import RPC

private enum StoreError: Error, RPCErrorConvertible {
    case missing(String)
    case broken(any Error)
    case fine

    var rpcError: RPCError {
        switch self {
        case .missing(let name): RPCError(.notFound, "model '\(name)' is not there", metadata: ["x-model": name])
        case .broken(let cause): RPCError(.internal, "the store is broken", cause: cause)
        case .fine: RPCError(.ok, "")
        }
    }
}

private struct Secret: Error, CustomStringConvertible { var description: String { "password is 1234" } }

@Suite struct HandlerErrorTests {
    @Test func anErrorThatNamesItsStatusKeepsItAndIsItsOwnCause() {
        let error = RPCError(handler: StoreError.missing("yolo"))
        #expect(error.code == .notFound)
        #expect(error.message == "model 'yolo' is not there")
        #expect(error.metadata["x-model"] == "yolo")
        #expect(error.cause is StoreError)
    }

    @Test func aCauseThatItNamesIsKept() {
        let error = RPCError(handler: StoreError.broken(Secret()))
        #expect(error.code == .internal)
        #expect(error.cause is Secret)
    }

    @Test func anyOtherErrorIsUnknownAndSaysNothingToThePeer() {
        let error = RPCError(handler: Secret())
        #expect(error.code == .unknown)
        #expect(error.message == "the handler failed")
        #expect(error.cause is Secret)
    }

    @Test func cancellationIsCancelled() {
        #expect(RPCError(handler: CancellationError()).code == .cancelled)
    }

    @Test func okIsNoErrorSoItIsOurFault() {
        #expect(RPCError(handler: StoreError.fine).code == .internal)
        #expect(RPCError(handler: RPCError(.ok, "")).code == .internal)
    }

    @Test func nothingOfAnUntypedErrorReachesThePeer() async throws {
        try await Loopback.with([
            "Unary": .unary { _, _ in throw Secret() },
            "Now": .immediate { _, _ in throw Secret() },
            "Stream": .stream { _, _, _ in throw Secret() },
        ]) { loopback in
            for name in ["Unary", "Now", "Stream"] {
                let error = await failure { _ = try await loopback.unary(name) }
                #expect(error?.code == .unknown)
                #expect(error?.message == "the handler failed")
                #expect(error?.metadata.isEmpty == true)
            }
        }
    }
}
