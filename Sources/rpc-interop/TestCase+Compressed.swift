import RPC

/// What is compressed, and what is not, as the flag of each message says.
extension TestCase {
    static let compressed = [
        TestCase("client_compressed_unary") { client in
            func call(expect expected: Bool, compresses: Bool) async throws {
                var request = largeRequest
                request.expectCompressed = expected
                let response = try await client.unary(
                    "UnaryCall", request, compression: .gzip, compresses: compresses, returning: SimpleResponse.self)
                try expect("payload", response.message.body, isZeros: largeResponse)
            }
            try await expect("the probe", fails: .invalidArgument) { try await call(expect: true, compresses: false) }
            try await call(expect: true, compresses: true)
            try await call(expect: false, compresses: false)
        },
        TestCase("server_compressed_unary") { client in
            for wanted in [true, false] {
                var request = largeRequest
                request.responseCompressed = wanted
                let response = try await client.unary("UnaryCall", request, returning: SimpleResponse.self)
                try expect("compressed flag of the answer", response.raw.payload.wasCompressed, is: wanted)
                try expect("payload", response.message.body, isZeros: largeResponse)
            }
        },
        TestCase("client_compressed_streaming") { client in
            let first = StreamingInputCallRequest(body: zeros(27182), expectCompressed: true)
            let probe = try await client.open("StreamingInputCall", compression: .gzip)
            try await expect("the probe", fails: .invalidArgument) {
                try await probe.send(first, compresses: false)
                probe.finishSending()
                _ = try await probe.collect(StreamingInputCallResponse.self)
            }
            let call = try await client.open("StreamingInputCall", compression: .gzip)
            try await call.send(first)
            try await call.send(
                StreamingInputCallRequest(body: zeros(45904), expectCompressed: false), compresses: false)
            call.finishSending()
            let answers = try await call.collect(StreamingInputCallResponse.self)
            try expect("number of answers", answers.count, is: 1)
            try expect("aggregated_payload_size", answers[0].message.aggregatedPayloadSize, is: 73086)
        },
        TestCase("server_compressed_streaming") { client in
            let wanted = [
                ResponseParameters(size: 31415, compressed: true), ResponseParameters(size: 92653, compressed: false),
            ]
            let call = try await client.open("StreamingOutputCall")
            try await call.send(StreamingOutputCallRequest(parameters: wanted))
            call.finishSending()
            let answers = try await call.collect(StreamingOutputCallResponse.self)
            try expect("number of answers", answers.count, is: wanted.count)
            for (answer, parameters) in zip(answers, wanted) {
                try expect("compressed flag of the answer", answer.wasCompressed, is: parameters.compressed == true)
                try expect("payload", answer.message.body, isZeros: parameters.size)
            }
        },
    ]
}
