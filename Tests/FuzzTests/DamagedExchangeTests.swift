import Foundation
import NIOCore
import Testing

@testable import RPC

/// Every truncation and every flipped bit of a recorded exchange, into a server's and a client's connection.
@Suite(.serialized, .timeLimit(.minutes(30))) struct DamagedExchangeTests {
    /// What is damaged below has metadata, details, compressed messages and attachments in it, both ways.
    @Test func theRecordingHoldsOneOfEverything() throws {
        let recording = try Recording.make()
        let packed = try #require(recording.answers["compressed"])
        #expect(packed.inflater != nil)
        #expect(try packed.inflated().message.readableBytes == 400)
        #expect(recording.answers["attached"]?.attachment == ByteBuffer(string: "pixels"))
        #expect(recording.answers["large"]?.message.readableBytes == 40_000)
        #expect(recording.answers["health"] != nil)
        for bytes in [recording.fromClient, recording.fromServer].map({ [UInt8]($0.readableBytesView) }) {
            // A message of 4 bytes with an attachment of 6, and the beginning of one in gzip.
            #expect(bytes.contains([0x80, 0, 0, 0, 4, 0, 0, 0, 6] + Array("headpixels".utf8)))
            #expect(bytes.contains([0x1f, 0x8b]))
        }
        let again = try InMemoryServer()
        let answer = try #require(again.take(recording.fromClient))
        #expect(answer.readableBytes > recording.greeting.readableBytes + recording.fromServer.readableBytes - 100)
        again.end()
        // Without damage, all of it is taken.
        let client = try InMemoryClient.greeted()
        let attempts = InMemoryClient.requests.compactMap { client.call($0) }
        client.take(recording.fromServer)
        #expect(attempts.count == InMemoryClient.requests.count)
        #expect(attempts.allSatisfy { $0.call.hasEnded })
        client.end()
    }

    /// `make test-full`: everywhere, which takes minutes.
    private static let isEverywhere = ProcessInfo.processInfo.environment["DAMAGE_EVERYWHERE"] != nil

    /// All places but those inside of long runs of one byte.
    private static func places(of bytes: [UInt8]) -> [Int] {
        guard !isEverywhere else { return Array(bytes.indices) }
        let margin = 16
        return bytes.indices.filter { place in
            let near = bytes[max(0, place - margin)..<min(bytes.count, place + margin)]
            return near.contains { $0 != bytes[place] }
        }
    }

    private static func damage(_ whole: ByteBuffer, atLeast count: Int, _ run: ([UInt8]) -> Void) {
        let bytes = [UInt8](whole.readableBytesView)
        let places = places(of: bytes)
        let most = isEverywhere ? bytes.count : 4000
        #expect((count...most).contains(places.count), "\(places.count) of \(bytes.count) bytes")
        for length in places { run([UInt8](bytes[..<length])) }
        var flipped = bytes
        for place in places {
            for bit in 0..<8 {
                flipped[place] ^= 1 << bit
                run(flipped)
                flipped[place] ^= 1 << bit
            }
        }
    }

    @Test func aServerTakesAnyDamage() {
        Self.damage(Recording.shared.fromClient, atLeast: 500, InMemoryServer.run)
    }

    @Test func aClientTakesAnyDamage() {
        Self.damage(Recording.shared.fromServer, atLeast: 400, InMemoryClient.run)
    }

    /// SETTINGS, and the answer that tells what the server takes.
    @Test func aClientTakesAnyDamageOfTheGreeting() {
        var greeting = Recording.shared.settings
        greeting.writeImmutableBuffer(Recording.shared.greeting)
        Self.damage(greeting, atLeast: 100, InMemoryClient.hear)
    }
}
