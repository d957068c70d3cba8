import NIOCore
import Testing

@testable import RPC

@Suite struct ProtobufReaderTests {
    private static func read(_ bytes: [UInt8]) throws -> [String] {
        var reader = ProtobufReader(ByteBuffer(bytes: bytes))
        var seen: [String] = []
        while let field = try reader.next() {
            switch field.value {
            case .varint(let value): seen.append("\(field.number): \(value)")
            case .bytes(let bytes): seen.append("\(field.number): \(Array(bytes.readableBytesView))")
            case .fixed: seen.append("\(field.number): fixed")
            }
        }
        return seen
    }

    @Test func fieldsComeInOrder() throws {
        let bytes: [UInt8] = [
            0x08, 0x96, 0x01, 0x12, 2, 0x61, 0x62, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x12, 0, 0x80, 0x7d,
            7,
        ]
        #expect(try Self.read(bytes) == ["1: 150", "2: [97, 98]", "3: fixed", "4: fixed", "2: []", "2000: 7"])
    }

    @Test func theLargestNumberHas64Bits() throws {
        let most = [UInt8](repeating: 0xff, count: 9)
        #expect(try Self.read([0x08] + most + [1]) == ["1: \(UInt64.max)"])
        #expect(throws: ProtobufReader.Malformed.self) { try Self.read([0x08] + most + [2]) }
        #expect(throws: ProtobufReader.Malformed.self) { try Self.read([0x08] + most + [0x81, 0]) }
    }

    @Test(
        arguments: [
            [0x08], [0x80], [0x12, 5, 0x61], [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            [0x1d, 1, 2, 3],
            [0x21, 1, 2, 3, 4, 5, 6, 7], [0x0b], [0x0c], [0x0e], [0x00, 1],
        ] as [[UInt8]])
    func whatIsNoMessageIsRefused(_ bytes: [UInt8]) {
        #expect(throws: ProtobufReader.Malformed.self) { try Self.read(bytes) }
    }

    @Test func whatIsWrittenIsRead() throws {
        let message = ByteBuffer.protobuf { message in
            message.writeField(1, varint: 300)
            message.writeField(2, "größe")
            message.writeField(20) { $0.writeField(1, varint: 0) }
        }
        var reader = ProtobufReader(message)
        #expect(try reader.next()?.value == .varint(300))
        #expect(try reader.next()?.value.text == "größe")
        let last = try reader.next()
        #expect(last?.number == 20)
        #expect(last?.value == .bytes(ByteBuffer(bytes: [8, 0])))
        #expect(try reader.next() == nil)
    }

    @Test func anyCutOfAMessageIsReadOrRefused() throws {
        let bytes = DescriptorSet.rpc.serialized
        for length in 0..<bytes.readableBytes {
            guard let cut = bytes.getSlice(at: bytes.readerIndex, length: length) else { continue }
            _ = try? FileDescriptor.files(of: DescriptorSet(serialized: cut))
        }
    }
}
