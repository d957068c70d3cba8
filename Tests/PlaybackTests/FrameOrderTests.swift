import NIOCore
import Testing
import Video

@testable import Playback

@Suite struct FrameOrderTests {
    private static func frame(_ index: UInt64) -> VideoFrame {
        VideoFrame(index: index, captureTime: Int64(index) * 40_000, pixels: ByteBuffer(bytes: [0, 0, 0]))
    }

    @Test func whatIsLeftOutIsDueInItsPlace() {
        func words(_ order: inout FrameOrder) -> [String] {
            var words: [String] = []
            while let due = order.due() {
                switch due {
                case .frame(let frame): words.append("\(frame.index)")
                case .leftOut(let number, let newer, _): words.append("\(number)<\(newer)")
                }
            }
            return words
        }
        var order = FrameOrder(first: 2)
        #expect(words(&order).isEmpty)
        order.came(Self.frame(1))
        #expect(words(&order).isEmpty && order.next == 2)
        order.came(Self.frame(2))
        #expect(words(&order) == ["2"])
        order.came(Self.frame(6))
        #expect(words(&order) == ["3<6", "4<6", "5<6", "6"])
        #expect(order.next == 7)
    }
}
