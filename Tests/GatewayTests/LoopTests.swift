import Hummingbird
import NIOCore
import NIOPosix
import Testing

@testable import Gateway

/// Which threads do the work of a request.
@Suite(.timeLimit(.minutes(5))) struct LoopTests {
    private static var place: String { MultiThreadedEventLoopGroup.currentEventLoop == nil ? "pool" : "loop" }

    @Test func aRequestIsHandledOnTheLoopOfItsConnectionAndALongAnswerMadeElsewhere() async throws {
        try await LittleServer.with { router in
            router.get("place") { _, _ in
                let first = Self.place
                await Task.yield()
                let second = Self.place
                return Response(
                    status: .ok,
                    body: .computed { writer in
                        let text = "\(first), then \(second), in the end \(Self.place)."
                        try await writer.write(ByteBuffer(string: text))
                        try await writer.finish(nil)
                    })
            }
        } _: { server in
            let peer = try await RawPeer.connect(to: server.address)
            await peer.send("GET /place HTTP/1.1\r\nHost: a\r\n\r\n")
            try await peer.until("loop, then loop, in the end pool.")
            peer.close()
        }
    }
}
