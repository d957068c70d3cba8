import NIOCore
import Testing

@testable import RPC

/// `google.rpc.Status` in `grpc-status-details-bin`.
@Suite struct RichStatusTests {
    static let status = RichStatus(
        .notFound, "no model 'größe'",
        details: [
            .init(typeURL: "type.googleapis.com/google.rpc.ErrorInfo", value: ByteBuffer(bytes: [10, 1, 97])),
            .init(typeURL: "", value: ByteBuffer()),
        ])

    /// Written by Python's protobuf: `Status(code=5, message="no", details=[Any(type_url="a/b", value=b"\1\2")])`.
    static let known: [UInt8] = [8, 5, 18, 2, 110, 111, 26, 9, 10, 3, 97, 47, 98, 18, 2, 1, 2]

    @Test func theBytesAreThoseOfOtherImplementations() throws {
        let status = RichStatus(.notFound, "no", details: [.init(typeURL: "a/b", value: ByteBuffer(bytes: [1, 2]))])
        #expect(Array(status.serialized.readableBytesView) == Self.known)
        #expect(try RichStatus(serialized: ByteBuffer(bytes: Self.known)) == status)
    }

    @Test func whatIsWrittenIsRead() throws {
        #expect(RPCError(Self.status).richStatus == Self.status)
        #expect(try RichStatus(serialized: RichStatus(.ok, "").serialized) == RichStatus(.ok, ""))
        #expect(RichStatus(.ok, "").serialized.readableBytes == 0)
    }

    @Test func fieldsThatItDoesNotHaveAreLeftOut() throws {
        let more = Self.known + [0x48, 7, 0x52, 1, 0]
        #expect(try RichStatus(serialized: ByteBuffer(bytes: more)).message == "no")
    }

    @Test(
        arguments: [
            [], [8], [8, 99], [18, 1, 0xff], [26, 3, 10, 9, 97], [8, 6],
            // A code below zero, as an int32 has it.
            [8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] as [[UInt8]])
    func detailsOfAnotherFormOrAnotherCodeAreNoStatus(_ bytes: [UInt8]) {
        var error = RPCError(.notFound, "no")
        error.details = bytes
        #expect(error.richStatus == nil)
        #expect(error.details == bytes)
    }

    @Test func itTravelsWithTheStatus() async throws {
        try await Loopback.with(["Fail": .unary { _, _ in throw RPCError(Self.status) }]) { loopback in
            let error = await failure { _ = try await loopback.unary("Fail") }
            #expect(error?.code == .notFound)
            #expect(error?.message == Self.status.message)
            #expect(error?.richStatus == Self.status)
        }
    }
}
