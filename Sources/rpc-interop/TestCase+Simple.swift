import NIOCore
import RPC

/// The four kinds of calls, and metadata.
extension TestCase {
    static let simple = [
        TestCase("empty_unary") { client in
            let response = try await client.empty("EmptyCall")
            try expect("size of the answer", response.payload.message.readableBytes, is: 0)
        },
        TestCase("large_unary") { client in
            let response = try await client.unary("UnaryCall", largeRequest, returning: SimpleResponse.self)
            try expect("payload", response.message.body, isZeros: largeResponse)
        },
        TestCase("client_streaming") { client in
            let call = try await client.open("StreamingInputCall")
            for size in requestSizes { try await call.send(StreamingInputCallRequest(body: zeros(size))) }
            call.finishSending()
            let answers = try await call.collect(StreamingInputCallResponse.self)
            try expect("number of answers", answers.count, is: 1)
            try expect("aggregated_payload_size", answers[0].message.aggregatedPayloadSize, is: 74922)
        },
        TestCase("server_streaming") { client in
            let call = try await client.open("StreamingOutputCall")
            try await call.send(
                StreamingOutputCallRequest(parameters: responseSizes.map { ResponseParameters(size: $0) }))
            call.finishSending()
            let answers = try await call.collect(StreamingOutputCallResponse.self)
            try expect("number of answers", answers.count, is: responseSizes.count)
            for (answer, size) in zip(answers, responseSizes) {
                try expect("payload", answer.message.body, isZeros: size)
            }
        },
        TestCase("ping_pong") { client in
            let call = try await client.open("FullDuplexCall")
            var answers = call.responses.makeAsyncIterator()
            for (request, response) in zip(requestSizes, responseSizes) {
                try await call.send(pingRequest(request, response))
                guard let answer = try await answers.next() else { throw Failed("call ended before the last answer") }
                try expect(
                    "payload", StreamingOutputCallResponse.decode(answer.message).body, isZeros: response)
            }
            call.finishSending()
            guard try await answers.next() == nil else { throw Failed("there are more than 4 answers") }
        },
        TestCase("empty_stream") { client in
            let call = try await client.open("FullDuplexCall")
            call.finishSending()
            try expect("number of answers", try await call.collect(StreamingOutputCallResponse.self).count, is: 0)
        },
        TestCase("custom_metadata") { client in
            let value = "test_initial_metadata_value"
            let bytes: [UInt8] = [0xab, 0xab, 0xab]
            var metadata: Metadata = [TestService.echoInitial: value]
            metadata.add(TestService.echoTrailing, bytes: bytes)

            let response = try await client.unary(
                "UnaryCall", largeRequest, metadata: metadata, returning: SimpleResponse.self)
            try expect("initial metadata of UnaryCall", response.raw.metadata[TestService.echoInitial], is: value)
            try expect("trailers of UnaryCall", response.raw.trailers.bytes(TestService.echoTrailing), is: bytes)
            try expect("payload", response.message.body, isZeros: largeResponse)

            let call = try await client.open("FullDuplexCall", metadata: metadata)
            try await call.send(pingRequest(271828, largeResponse))
            call.finishSending()
            let answers = try await call.collect(StreamingOutputCallResponse.self)
            try expect("number of answers", answers.count, is: 1)
            let initial = try await call.initialMetadata()
            try expect("initial metadata of FullDuplexCall", initial[TestService.echoInitial], is: value)
            try expect("trailers of FullDuplexCall", call.trailers.bytes(TestService.echoTrailing), is: bytes)
        },
    ]

    static let largeResponse = 314159
    static let largeRequest = SimpleRequest(responseSize: largeResponse, body: zeros(271828))
    private static let requestSizes = [27182, 8, 1828, 45904]
    private static let responseSizes = [31415, 9, 2653, 58979]

    static func pingRequest(_ size: Int, _ answer: Int) -> StreamingOutputCallRequest {
        StreamingOutputCallRequest(parameters: [ResponseParameters(size: answer)], body: zeros(size))
    }
}
