import Messages
import NIOCore
import Testing

@testable import Gateway

@Suite struct MeshLinkTests {
    private static func raw(_ width: Int, _ height: Int) -> Frame {
        Frame(
            encoding: .bgr8, width: width, height: height,
            payload: .attached(ByteBuffer(repeating: 0x40, count: width * height * 3)))
    }

    @Test func pixelsStayOnTheirHost() async throws {
        let near = try await MeshLink.packed(Self.raw(64, 48), sameHost: true)
        #expect(near.encoding == .bgr8 && near.payload.bytes.readableBytes == 64 * 48 * 3)
        let far = try await MeshLink.packed(Self.raw(64, 48), sameHost: false)
        #expect(far.encoding == .jpeg && far.width == 0)
    }

    /// Neither nodes nor coordinators take an attachment of more than 64 MiB, from wherever it comes.
    @Test func aFrameThatIsTooLargeToTravelAsItIsIsCompressedAlsoThere() async throws {
        let large = try await MeshLink.packed(Self.raw(8192, 2731), sameHost: true)
        #expect(large.encoding == .jpeg)
        #expect(large.payload.bytes.readableBytes < 16 << 20)
    }

    @Test func aPictureGoesAsItCame() async throws {
        let picture = Frame(payload: .attached(ByteBuffer(string: "no picture")))
        #expect(try await MeshLink.packed(picture, sameHost: false).payload.bytes == picture.payload.bytes)
    }
}
