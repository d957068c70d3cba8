import NIOCore
import RPC

/// How calls end: status, cancellation, deadline.
extension TestCase {
    static let ends = [
        TestCase("status_code_and_message") { client in
            let status = EchoStatus(code: 2, message: "test status message")
            try await expect("UnaryCall", fails: .unknown, message: status.message) {
                _ = try await client.unary(
                    "UnaryCall", SimpleRequest(responseStatus: status), returning: SimpleResponse.self)
            }
            let call = try await client.open("FullDuplexCall")
            try await expect("FullDuplexCall", fails: .unknown, message: status.message) {
                try await call.send(StreamingOutputCallRequest(responseStatus: status))
                call.finishSending()
                _ = try await call.collect(StreamingOutputCallResponse.self)
            }
        },
        TestCase("special_status_message") { client in
            let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
            let request = SimpleRequest(responseStatus: EchoStatus(code: 2, message: message))
            try await expect("UnaryCall", fails: .unknown, message: message) {
                _ = try await client.unary("UnaryCall", request, returning: SimpleResponse.self)
            }
        },
        TestCase("unimplemented_method") { client in
            try await expect("UnimplementedCall", fails: .unimplemented) {
                _ = try await client.empty("UnimplementedCall")
            }
        },
        TestCase("unimplemented_service") { client in
            try await expect("UnimplementedCall", fails: .unimplemented) {
                _ = try await client.empty("UnimplementedCall", of: "grpc.testing.UnimplementedService")
            }
        },
        TestCase("cancel_after_begin") { client in
            let call = try await client.open("StreamingInputCall")
            call.cancel()
            try await expect("StreamingInputCall", fails: .cancelled) {
                _ = try await call.collect(StreamingInputCallResponse.self)
            }
        },
        TestCase("cancel_after_first_response") { client in
            let call = try await client.open("FullDuplexCall")
            try await call.send(pingRequest(27182, 31415))
            var answers = call.responses.makeAsyncIterator()
            guard let answer = try await answers.next() else { throw Failed("call ended without an answer") }
            try expect("payload", StreamingOutputCallResponse.decode(answer.message).body, isZeros: 31415)
            call.cancel()
            try await expect("FullDuplexCall", fails: .cancelled) {
                while try await answers.next() != nil {}
            }
        },
        TestCase("timeout_on_sleeping_server") { client in
            // So that the time is spent on the call and not on the connection.
            _ = try await client.empty("EmptyCall")
            try await expect("FullDuplexCall", fails: .deadlineExceeded) {
                let call = try await client.open("FullDuplexCall", deadline: .after(.milliseconds(1)))
                try await call.send(StreamingOutputCallRequest(body: zeros(27182)))
                _ = try await call.collect(StreamingOutputCallResponse.self)
            }
        },
    ]
}
