import NIOCore
import NIOEmbedded
import Testing

@testable import HTTP2

@Suite struct HandshakeTimeTests {
    private final class Silent: HTTP2Delegate {
        private(set) var end: String?
        func received(_ event: SessionEvent) {}
        func received(stream: Int32, data: ByteBuffer) {}
        func ended(_ reason: (any Error)?) { end = (reason as? HTTP2Error)?.message ?? "no reason" }
    }

    /// - Returns: the seconds after `connect` at which a silent peer is given up.
    private func patience(since began: NIODeadline?) throws -> Int? {
        let delegate = Silent()
        let loop = EmbeddedEventLoop()
        let handler = HTTP2Handler(
            session: try Session(role: .client), delegate: delegate, handshakeTimeout: .seconds(5), since: began)
        let channel = EmbeddedChannel(handler: handler, loop: loop)
        loop.advanceTime(by: .seconds(2))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        for second in 0..<10 {
            if let end = delegate.end {
                #expect(end == "no HTTP/2 SETTINGS within 5.0 s")
                return second
            }
            loop.advanceTime(by: .seconds(1))
        }
        return nil
    }

    @Test func theTimeToConnectIsPartOfTheHandshakes() throws {
        #expect(try patience(since: .uptimeNanoseconds(0)) == 3)
    }
}
