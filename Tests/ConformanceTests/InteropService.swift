import NIOCore
import RPC
import Synchronization

/// `interop.Test`, the same as in python/server.py, where its methods are described.
struct InteropService: RPCService {
    let health: HealthService
    let waits = Waits()

    var serviceName: String { "interop.Test" }

    var methods: [String: RPCHandler] {
        [
            "Echo": .unary { context, request in
                var response = UnaryResponse(request)
                for (key, value) in context.metadata where key.hasPrefix("x-") {
                    response.metadata.add(key, value)
                    response.trailers.add("trailing-" + key, value)
                }
                return response
            },
            "Collect": .stream { _, requests, responses in
                var count = 0
                var bytes = 0
                for try await request in requests {
                    count += 1
                    bytes += request.message.readableBytes
                }
                try await responses.write(Payload(ByteBuffer(string: "\(count) \(bytes)")))
            },
            "Repeat": .stream { _, requests, responses in
                let numbers = try await text(of: requests).split(separator: " ").compactMap { Int($0) }
                guard numbers.count == 2 else { throw RPCError(.invalidArgument, "request is not COUNT BYTES") }
                for index in 0..<numbers[0] {
                    let message = ByteBuffer(repeating: UInt8(truncatingIfNeeded: index), count: numbers[1])
                    try await responses.write(Payload(message))
                }
            },
            "Chat": .stream { _, requests, responses in
                for try await request in requests { try await responses.write(request) }
            },
            "Fail": .unary { _, request in throw failure(String(buffer: request.message)) },
            "FailRichly": .unary { _, request in
                let error = failure(String(buffer: request.message))
                throw RPCError(RichStatus(error.code, error.message, details: [notThere]))
            },
            "FailLate": .stream { _, requests, responses in
                let request = try await text(of: requests)
                try await responses.write(Payload(ByteBuffer(string: "one")))
                throw failure(request)
            },
            "Wait": .unary { [waits] _, _ in
                waits.count("waiting")
                // Ends by cancellation only.
                try? await Task.sleep(for: .seconds(3600))
                waits.count("cancelled")
                throw RPCError(.cancelled, "call was cancelled")
            },
            "Await": .unary { [waits] _, request in
                let words = String(buffer: request.message).split(separator: " ").map(String.init)
                guard words.count == 2, let wanted = Int(words[1]) else {
                    throw RPCError(.invalidArgument, "request is not WHAT COUNT")
                }
                return UnaryResponse(Payload(ByteBuffer(string: "\(try await waits.reach(words[0], wanted))")))
            },
            "TimeLeft": .immediate { context, _ in
                let left = context.deadline.map { "\(Int($0.remaining / .milliseconds(1)))" } ?? "none"
                return UnaryResponse(Payload(ByteBuffer(string: left)))
            },
            "SetHealth": .immediate { [health] _, request in
                let words = String(buffer: request.message).split(separator: " ", maxSplits: 1).map(String.init)
                let statuses: [String: HealthService.Status] = ["SERVING": .serving, "NOT_SERVING": .notServing]
                guard let status = statuses[words.first ?? ""] else {
                    throw RPCError(.invalidArgument, "request is not STATUS SERVICE")
                }
                health.set(status, for: words.count == 2 ? words[1] : "")
                return UnaryResponse(Payload(ByteBuffer()))
            },
        ]
    }

    /// How many Wait calls have started and how many were cancelled.
    final class Waits: Sendable {
        private let counts = Mutex<[String: Int]>([:])
        func count(_ what: String) { counts.withLock { $0[what, default: 0] += 1 } }
        func reach(_ what: String, _ wanted: Int) async throws -> Int {
            while true {
                let count = counts.withLock { $0[what] ?? 0 }
                if count >= wanted { return count }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }
}

extension Metadata {
    mutating func add(_ key: String, _ value: Content) {
        switch value {
        case .ascii(let text): add(key, text)
        case .binary(let bytes): add(key, bytes: bytes)
        }
    }
}

/// `google.rpc.ErrorInfo` with reason `NOT_THERE` and domain `interop`.
let notThere = RichStatus.Detail(
    typeURL: "type.googleapis.com/google.rpc.ErrorInfo",
    value: ByteBuffer(bytes: [0x0a, 9] + Array("NOT_THERE".utf8) + [0x12, 7] + Array("interop".utf8)))

private func text(of requests: MessageStream) async throws -> String {
    var iterator = requests.makeAsyncIterator()
    guard let request = try await iterator.next() else { throw RPCError(.invalidArgument, "there is no request") }
    return String(buffer: request.message)
}

private func failure(_ request: String) -> RPCError {
    let words = request.split(separator: " ", maxSplits: 1).map(String.init)
    guard words.count == 2, let code = Int(words[0]) else {
        return RPCError(.invalidArgument, "request is not CODE MESSAGE")
    }
    var trailers = Metadata()
    trailers.add("x-reason-bin", bytes: [0, 255])
    return RPCError(StatusCode(rawValue: code), words[1], metadata: trailers)
}
