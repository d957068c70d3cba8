import Messages
import NIOCore
import RPC
import Services

extension Piece {
    private static let pictureBytes = 100_000
    private static let detections = 10

    static let messages = [
        Piece("request-encode", turns: 1000, result: 1) {
            let request = Self.request
            return {
                let payload = Payload(request)
                return payload.attachment?.readableBytes == pictureBytes && payload.message.readableBytes > 0 ? 1 : 0
            }
        },
        Piece("request-decode", turns: 1000, result: pictureBytes) {
            let payload = Payload(request)
            return { try DetectRequest.decode(payload).frame.payload.bytes.readableBytes }
        },
        // From a client of stock gRPC: the picture is a field of the message.
        Piece("request-decode-plain", turns: 1000, result: pictureBytes) {
            let wire = request.encode()
            var message = wire.message
            for part in [wire.preamble, wire.pixels].compactMap({ $0 }) { message.writeImmutableBuffer(part) }
            let payload = Payload(message)
            return { try DetectRequest.decode(payload).frame.payload.bytes.readableBytes }
        },
        Piece("response-encode", turns: 500, result: 1) {
            let response = Self.response
            return { Payload(response).message.readableBytes > 30 * detections ? 1 : 0 }
        },
        Piece("response-decode", turns: 500, result: detections) {
            let payload = Payload(response)
            return { try DetectResponse.decode(payload).detections.count }
        },
    ]

    private static var request: DetectRequest {
        let frame = Frame(
            stream: "camera-7", sequence: 1234, captureTime: 1_700_000_000_000_000, encoding: .jpeg, width: 640,
            height: 480, payload: .attached(ByteBuffer(repeating: 3, count: pictureBytes)))
        return DetectRequest(frame: frame, model: "yolo-fastest-1.1", minConfidence: 0.3)
    }

    /// What a detector answers.
    static var response: DetectResponse {
        var response = DetectResponse()
        (response.width, response.height, response.sequence) = (640, 480, 1234)
        response.detections = (0..<detections).map { index in
            let place = Float(index)
            return Detection(
                classID: index, label: "bicycle", confidence: 0.9 - 0.05 * place,
                box: Box(x: 40 * place, y: 30 * place, width: 80, height: 60))
        }
        response.timing = ["queue", "decode", "preprocess", "infer", "postprocess"].map {
            Timing($0, microseconds: 1500)
        }
        return response
    }
}
