import NIOCore
import Testing

@testable import RPC

/// Every truncation and every flipped bit of a recorded exchange, into a server's and a client's connection.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DamagedExchangeTests {
    @Test func theRecordingHoldsWholeCalls() throws {
        let recording = try Recording.make()
        #expect(recording.fromClient.readableBytes > 200)
        #expect(recording.fromServer.readableBytes > 100_000)
        let again = try InMemoryServer()
        let answer = again.take(recording.fromClient)
        #expect(answer.map { $0.readableBytes > 400 } == true)
        again.end()
    }

    private static func damage(_ whole: ByteBuffer, upTo limit: Int, _ run: ([UInt8]) -> Void) {
        let bytes = [UInt8](whole.readableBytesView.prefix(limit))
        for length in 0...bytes.count { run([UInt8](bytes[..<length])) }
        var flipped = bytes
        for place in bytes.indices {
            for bit in 0..<8 {
                flipped[place] ^= 1 << bit
                run(flipped)
                flipped[place] ^= 1 << bit
            }
        }
    }

    @Test func aServerTakesAnyDamage() throws {
        Self.damage(try Recording.make().fromClient, upTo: 1500, InMemoryServer.run)
    }

    /// Its large answer comes last but one; what counts lies before and in its first frame.
    @Test func aClientTakesAnyDamage() throws {
        Self.damage(try Recording.make().fromServer, upTo: 1000, InMemoryClient.run)
    }
}
