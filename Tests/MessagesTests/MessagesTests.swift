import NIOCore
import Testing

@testable import Messages

@Suite struct WireTests {
    let pixels = ByteBuffer(bytes: (0..<1000).map { UInt8(truncatingIfNeeded: $0) })

    func request(_ payload: FramePayload) -> AnalyzeRequest {
        AnalyzeRequest(
            frame: Frame(
                stream: "cam-ü", sequence: 1 << 40, captureTime: -5, encoding: .nv12, width: 640, height: 480,
                rowStride: 704, payload: payload),
            pipeline: "cascade", minConfidence: 0.25, policy: .latest, frameDeadline: 250, topK: 3)
    }

    func plain(_ wire: WireMessage) -> ByteBuffer {
        var all = wire.message
        if let preamble = wire.preamble { all.writeImmutableBuffer(preamble) }
        if let pixels = wire.pixels { all.writeImmutableBuffer(pixels) }
        return all
    }

    func expectSame(_ a: AnalyzeRequest, _ b: AnalyzeRequest) {
        #expect(a.frame.stream == b.frame.stream)
        #expect(a.frame.sequence == b.frame.sequence)
        #expect(a.frame.captureTime == b.frame.captureTime)
        #expect(a.frame.encoding == b.frame.encoding)
        #expect(a.frame.width == b.frame.width && a.frame.height == b.frame.height)
        #expect(a.frame.rowStride == b.frame.rowStride)
        #expect(a.frame.payload.bytes == b.frame.payload.bytes)
        #expect(a.pipeline == b.pipeline && a.policy == b.policy && a.topK == b.topK)
        #expect(a.minConfidence == b.minConfidence && a.frameDeadline == b.frameDeadline)
    }

    /// Else the peer would refuse the whole answer for the words of somebody else.
    @Test func aTextThatIsTooLongIsCutBetweenCharacters() throws {
        var response = AnalyzeResponse()
        response.cause = "a" + String(repeating: "é", count: 10_000)
        let read = try AnalyzeResponse.decode(response.encode())
        #expect(read.cause == "a" + String(repeating: "é", count: 8191))
    }

    /// Labels of 0 to 300 bytes, so that parts of every size lie behind each other.
    @Test(arguments: [0, 1, 10, 100, 3000]) func messagesOfManyPartsAreReadWhole(count: Int) throws {
        var sent = DetectResponse()
        sent.detections = (0..<count).map { index in
            Detection(
                classID: index, label: String(repeating: "x", count: index * 7 % 301), confidence: 0.5,
                box: Box(x: Float(index), y: 1, width: 2, height: 3))
        }
        let got = try DetectResponse.decode(sent.encode())
        #expect(got.detections == sent.detections)
    }

    @Test func aNameThatIsNotUTF8IsRefused() {
        // The frame, and in it the name of its stream.
        let bytes = ByteBuffer(bytes: [0x0a, 4, 0x0a, 2, 0x61, 0xff])
        let error = #expect(throws: MessageError.self) { try DetectRequest.decode(WireMessage(message: bytes)) }
        #expect(error?.message == "a string is not UTF-8")
    }

    @Test func attachedRequestComesBackWhole() throws {
        let sent = request(.attached(pixels))
        let wire = sent.encode()
        #expect(wire.message.readableBytes < 100)
        let got = try AnalyzeRequest.decode(wire)
        expectSame(sent, got)
        guard case .attached = got.frame.payload else { Issue.record("payload is not attached"); return }
    }

    @Test func plainRequestComesBackWholeWithoutCopyingPixels() throws {
        let sent = request(.inline(pixels))
        let message = plain(sent.encode())
        let got = try AnalyzeRequest.decode(WireMessage(message: message))
        expectSame(sent, got)
        // A slice of the message: same storage, so same address.
        let offset = message.readableBytes - pixels.readableBytes
        let inMessage = unsafe message.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) + UInt(offset) }
        let inFrame = unsafe got.frame.payload.bytes.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(inMessage == inFrame)
    }

    @Test func pixelsBeforeOtherFieldsAreFoundToo() throws {
        let wire = request(.inline(pixels)).encode()
        var message = wire.preamble!
        message.writeImmutableBuffer(pixels)
        message.writeImmutableBuffer(wire.message)
        expectSame(request(.inline(pixels)), try AnalyzeRequest.decode(WireMessage(message: message)))
    }

    @Test func manyPixelFieldsCostNoStack() throws {
        var message = ByteBuffer()
        for _ in 0..<4000 { message.writeBytes([0xa2, 0x06, 0x00]) }
        #expect(try PixelField.peel(message).rest.readableBytes == 0)
        for _ in 0..<200 { message.writeBytes([0xa2, 0x06, 0x00]) }
        #expect(throws: MessageError.self) { try PixelField.peel(message) }
    }

    @Test(arguments: [false, true])
    func muchBesideThePixelsIsRefused(_ isAttached: Bool) throws {
        // A field that is not known, inside of `frame` (field 1).
        func field(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
            var (head, length) = ([tag], content.count)
            while length >= 0x80 {
                head.append(UInt8(truncatingIfNeeded: length) | 0x80)
                length >>= 7
            }
            return head + [UInt8(length)] + content
        }
        func wire(_ bytes: Int) -> WireMessage {
            let message = ByteBuffer(bytes: field(0x0a, field(0x7a, Array(repeating: 1, count: bytes - 4))))
            if isAttached { return WireMessage(message: message, pixels: pixels) }
            return WireMessage(message: plain(WireMessage(message: message, pixels: pixels)))
        }
        let limit = FramePayload.maxDescriptionBytes
        #expect(try DetectRequest.decode(wire(limit - 100)).frame.payload.bytes == pixels)
        let error = #expect(throws: MessageError.self) { try DetectRequest.decode(wire(limit)) }
        #expect(error?.message == "request has \(limit + 4) bytes beside its pixels, limit \(limit)")
        #expect(throws: MessageError.self) { try AnalyzeRequest.decode(wire(limit)) }
        #expect(throws: MessageError.self) { try ClassifyRequest.decode(wire(limit)) }
    }

    @Test func everyTruncationIsAnErrorOrAShorterMessage() throws {
        let whole = plain(request(.inline(pixels)).encode())
        var refused = 0
        for length in 0..<whole.readableBytes {
            let cut = whole.getSlice(at: whole.readerIndex, length: length)!
            do { _ = try AnalyzeRequest.decode(WireMessage(message: cut)) } catch { refused += 1 }
        }
        #expect(refused >= pixels.readableBytes)
    }

    @Test func everyBitFlipIsAnErrorOrAMessage() throws {
        let whole = request(.attached(pixels)).encode().message
        for byte in 0..<whole.readableBytes {
            for bit in 0..<8 {
                var flipped = whole
                let old: UInt8 = whole.getInteger(at: whole.readerIndex + byte)!
                flipped.setInteger(old ^ (1 << bit), at: flipped.readerIndex + byte)
                _ = try? AnalyzeRequest.decode(WireMessage(message: flipped, pixels: pixels))
            }
        }
    }

    @Test func answersComeBackWhole() throws {
        var sent = AnalyzeResponse()
        sent.stream = "s"
        sent.sequence = 7
        sent.status = .partial
        sent.cause = "classifier: no node"
        sent.code = 14
        sent.width = 640
        sent.height = 480
        sent.detections = (0..<300).map {
            Detection(
                classID: $0, label: "label \($0)", confidence: 0.5,
                box: Box(x: 1, y: 2, width: 3, height: Float($0)), trackID: $0 == 0 ? nil : UInt64($0),
                classes: [Classification(classID: 3, label: "three", confidence: 0.9)])
        }
        sent.classes = [Classification(classID: 1, label: "one", confidence: 0.25)]
        sent.timing = [Timing("detect.infer", microseconds: 9100)]
        sent.missing = ["classify"]
        sent.attempts = 2
        sent.captureTime = 123
        let got = try AnalyzeResponse.decode(sent.encode())
        #expect(got.detections == sent.detections)
        #expect(got.classes == sent.classes)
        #expect(got.timing == sent.timing)
        #expect(got.missing == sent.missing)
        #expect(got.status == .partial && got.cause == sent.cause && got.code == 14 && got.attempts == 2)
        #expect(got.stream == "s" && got.sequence == 7 && got.width == 640 && got.height == 480)
        #expect(got.captureTime == 123)
    }

    @Test func nodeMessagesComeBackWhole() throws {
        let detect = DetectRequest(frame: request(.attached(pixels)).frame, model: "m", minConfidence: 0.5)
        let detectGot = try DetectRequest.decode(detect.encode())
        #expect(detectGot.model == "m" && detectGot.minConfidence == 0.5)
        #expect(detectGot.frame.payload.bytes == pixels)

        let classify = ClassifyRequest(
            frame: detect.frame, model: "c", regions: [Box(x: 1, y: 2, width: 3, height: 4)], topK: 5)
        let classifyGot = try ClassifyRequest.decode(classify.encode())
        #expect(classifyGot.regions == classify.regions && classifyGot.topK == 5)

        var classes = ClassifyResponse()
        classes.regions = [[], [Classification(classID: 1, label: "x", confidence: 1)]]
        classes.timing = [Timing("infer", microseconds: 1)]
        classes.sequence = 9
        let classesGot = try ClassifyResponse.decode(classes.encode())
        #expect(classesGot.regions == classes.regions && classesGot.sequence == 9)

        var model = ModelDescription()
        model.name = "yolo"
        model.inputWidth = 320
        var node = NodeDescription()
        node.role = "detector"
        node.models = [model]
        node.workers = 2
        node.expired = 4
        #expect(try NodeDescription.decode(node.encode()) == node)
        var state = NodeState()
        state.address = "127.0.0.1:1"
        state.description = node
        #expect(try ListNodesResponse.decode(ListNodesResponse(nodes: [state]).encode()).nodes == [state])
        var pipeline = PipelineDescription(name: "p", stages: ["detect", "track"], needsStream: true, text: "t")
        pipeline.required = ["detect"]
        pipeline.detectModel = "yolo"
        pipeline.classifyModel = "squeeze"
        pipeline.boxes = 64
        pipeline.topK = 3
        pipeline.unoffered = ["classify"]
        let pipelines = ListPipelinesResponse(pipelines: [pipeline])
        #expect(try ListPipelinesResponse.decode(pipelines.encode()).pipelines == [pipeline])
    }

    @Test func messagesOfBothStagesComeBackWhole() throws {
        let sent = FusedRequest(
            frame: request(.attached(pixels)).frame, detectModel: "m", minConfidence: 0.5, classifyModel: "c", topK: 5,
            boxes: 9, boxConfidence: 0.25)
        let got = try FusedRequest.decode(sent.encode())
        #expect(got.detectModel == "m" && got.minConfidence == 0.5 && got.classifyModel == "c" && got.topK == 5)
        #expect(got.boxes == 9 && got.boxConfidence == 0.25 && got.frame.payload.bytes == pixels)

        var answer = FusedResponse()
        answer.width = 640
        answer.height = 480
        answer.sequence = 7
        answer.classes = [Classification(classID: 1, label: "x", confidence: 1)]
        answer.detections = [
            Detection(
                classID: 2, label: "y", confidence: 0.5, box: Box(x: 1, y: 2, width: 3, height: 4),
                classes: answer.classes)
        ]
        answer.timing = [Timing("detect.infer", microseconds: 9)]
        answer.failures = [StageFailure(stage: "classify", code: 13, message: "why")]
        let answerGot = try FusedResponse.decode(answer.encode())
        #expect([answerGot.width, answerGot.height] == [640, 480] && answerGot.sequence == 7)
        #expect(answerGot.classes == answer.classes && answerGot.detections == answer.detections)
        #expect(answerGot.timing == answer.timing && answerGot.failures == answer.failures)
    }

    @Test func theStrongestBoxesAreThoseThatAreClassified() {
        let found = [0.5, 0.9, 0.1, 0.7].map {
            Detection(classID: 0, label: "", confidence: $0, box: Box(x: 0, y: 0, width: 1, height: 1))
        }
        #expect(found.strongest(2, from: 0) == [1, 3])
        #expect(found.strongest(9, from: 0.5) == [1, 3, 0])
        #expect(found.strongest(0, from: 0).isEmpty && found.strongest(-1, from: 0).isEmpty)
    }

    @Test func iouOfHalfOverlappingBoxes() {
        let a = Box(x: 0, y: 0, width: 2, height: 1)
        #expect(abs(a.iou(Box(x: 1, y: 0, width: 2, height: 1)) - 1.0 / 3) < 1e-6)
        #expect(a.iou(Box(x: 5, y: 5, width: 1, height: 1)) == 0)
    }
}
