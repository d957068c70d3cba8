import Messages
import NIOCore
import RPC
import Services
import Testing

/// Our own service, framemesh.v1, offered by it.
extension StockServerTests {
    @Test(arguments: [0, 1, 1000, 5_000_000])
    func aStockDetectorSeesThePixelsInTheirField(_ size: Int) async throws {
        try await StockServer.with { stock async throws in
            let pixels = ByteBuffer(bytes: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) })
            let frame = Frame(
                stream: "north", sequence: 9, captureTime: -5, encoding: .bgr8, width: 640, height: 480,
                payload: .attached(pixels))
            let request = DetectRequest(frame: frame, model: "größe", minConfidence: 0.25)
            let response = try await NodeClient(stock.connection).detect(request, deadline: .after(.seconds(120)))
            #expect(stock.connection.attachmentPeer == nil)
            #expect((response.width, response.height) == SeenPictures.lengthAndSum(frame))
            #expect(response.sequence == 9)
            #expect(response.detections.map(\.label) == ["größe of north"])
            #expect(response.detections.map(\.confidence) == [0.25])
            #expect(response.timing.map(\.stage) == ["python"])
        }
    }
}
