import Foundation
import TestSupport
import Testing

/// An HTTP/2 client that knows nothing of gRPC (nghttp of nghttp2) looks at a gRPC port.
struct PlainHTTP2Tests {
    @Test func theRootAnswers200AndSaysWhatThisIs() async throws {
        try await OurServer.with { ours in
            let client = try ChildProcess(
                URL(fileURLWithPath: "/usr/bin/env"), ["nghttp", "-v", "http://127.0.0.1:\(ours.port)/"])
            let result = try await client.finish(within: .seconds(180))
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains(":status: 200"), "\(result.output)")
            #expect(result.output.contains("gRPC is served here"), "\(result.output)")
        }
    }
}
