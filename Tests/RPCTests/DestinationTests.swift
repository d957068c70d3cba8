import NIOCore
import Testing

@testable import RPC

@Suite struct DestinationTests {
    private static func bytes(_ count: Int, from first: Int = 0) -> ByteBuffer {
        ByteBuffer(bytes: (first..<first + count).map { UInt8(truncatingIfNeeded: ($0 &* 31) >> 3) })
    }

    @Test(arguments: [0, 1, 5000, 100_000])
    func whatIsGivenIsTakenAndNoMore(_ size: Int) throws {
        var place = try #require(Destination(size: size))
        var input = Self.bytes(size + 10)
        while !place.isFull, var piece = input.getSlice(at: input.readerIndex, length: min(3000, input.readableBytes)) {
            let before = piece.readableBytes
            place.take(from: &piece)
            input.moveReaderIndex(forwardBy: before - piece.readableBytes)
        }
        place.take(from: &input)
        #expect(input == Self.bytes(10, from: size))
        #expect(place.bytes == Self.bytes(size))
    }

    @Test func whatWasReadToItsPlaceIsNotMoved() throws {
        var place = try #require(Destination(size: 350_000))
        var copied = Self.bytes(320_000)
        place.take(from: &copied)
        var room = try #require(place.room(upTo: 90_000))
        #expect(room.writableBytes == 30_000)
        room.writeImmutableBuffer(Self.bytes(10_000, from: 320_000))
        let address = Self.address(place.bytes)
        place.take(from: &room)
        #expect(room.readableBytes == 0)
        #expect(place.bytes.readableBytes == 330_000)
        #expect(Self.address(place.bytes) == address)
        var rest = Self.bytes(20_000, from: 330_000)
        place.take(from: &rest)
        #expect(place.isFull)
        #expect(place.room(upTo: 1) == nil)
        #expect(place.bytes == Self.bytes(350_000))
    }

    @Test func whatCameWithItAndIsNotTakenIsOverwritten() throws {
        var place = try #require(Destination(size: 300_000))
        var rest = Self.bytes(300_000)
        while !place.isFull {
            // Behind 70,000 bytes the head of a frame.
            let count = min(70_000, rest.readableBytes)
            var room = try #require(place.room(upTo: count + 9))
            #expect(room.writableBytes == min(count + 9, rest.readableBytes))
            room.writeImmutableBuffer(rest.readSlice(length: count) ?? ByteBuffer())
            room.writeRepeatingByte(0xff, count: room.writableBytes)
            let taken = room.readSlice(length: count)
            var data = try #require(taken)
            place.take(from: &data)
            #expect(data.readableBytes == 0)
        }
        #expect(place.bytes == Self.bytes(300_000))
    }

    @Test func whatWasReadToItsPlaceIsNotLostIfThePlaceHasMoved() throws {
        var place = try #require(Destination(size: 300_000))
        // Somebody holds the bytes, so that writing copies them.
        let held = place.bytes
        var copied = Self.bytes(100_000)
        place.take(from: &copied)
        #expect(Self.address(place.bytes) != Self.address(held))
        var room = try #require(place.room(upTo: 200_000))
        room.writeImmutableBuffer(Self.bytes(200_000, from: 100_000))
        place.take(from: &room)
        #expect(place.isFull)
        #expect(place.bytes == Self.bytes(300_000))
    }

    @Test func smallPartsHaveNoRoom() throws {
        let place = try #require(Destination(size: Destination.smallestToReadInto - 1))
        #expect(place.room(upTo: 100) == nil)
    }

    @Test func memoryThatIsReadToIsNotUsedForAnotherMessage() throws {
        // A size that no other test uses.
        let size = 777_777
        var place: Destination? = Destination(size: size)
        var room = place?.room(upTo: size)
        let address = try #require(place.map { Self.address($0.bytes) })
        place = nil
        let other = try #require(Destination(size: size))
        #expect(Self.address(other.bytes) != address)
        room?.writeRepeatingByte(1, count: size)
        room = nil
        let again = try #require(Destination(size: size))
        #expect(Self.address(again.bytes) == address)
    }

    private static func address(_ buffer: ByteBuffer) -> UInt {
        unsafe buffer.withVeryUnsafeBytes { unsafe UInt(bitPattern: $0.baseAddress) }
    }
}
