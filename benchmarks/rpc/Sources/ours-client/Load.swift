import NIOCore
import RPC
import Synchronization

/// Calls in a closed loop: each caller starts its next call when the last one has been answered.
struct Load {
    let options: Options
    let connections: [RPCConnection]
    let request: Payload

    struct Result: Sendable {
        var calls = Histogram()
        var failures = 0
        var seconds = 0.0
    }

    init(_ options: Options, _ connections: [RPCConnection]) {
        self.options = options
        self.connections = connections
        request = Payload(
            ByteBuffer(repeating: 0x2a, count: options.bytes),
            attachment: options.attachment.map { ByteBuffer(repeating: 0x2b, count: $0) })
    }

    /// Ends after `count` calls, or after `seconds`.
    func run(seconds: Double, count: Int?) async -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + .seconds(seconds)
        let left = Budget(count)
        return await withTaskGroup(of: Result.self) { group in
            for connection in connections {
                for _ in 0..<options.outstanding {
                    group.addTask(executorPreference: options.onLoop ? connection.executor : nil) {
                        var result = Result()
                        while left.take(), count != nil || clock.now < end {
                            await call(connection, options.path, request, &result)
                        }
                        return result
                    }
                }
            }
            var sum = Result()
            for await result in group {
                sum.calls.add(result.calls)
                sum.failures += result.failures
            }
            sum.seconds = (clock.now - start) / .seconds(1)
            return sum
        }
    }

    private func call(_ connection: RPCConnection, _ path: String, _ request: Payload, _ result: inout Result) async {
        let begin = NIODeadline.now().uptimeNanoseconds
        do {
            let response = try await connection.unary(path, request, options: Self.callOptions())
            let isGood = path != options.path || isReply(response.payload, to: request)
            result.failures += isGood ? 0 : 1
            result.calls.add(nanoseconds: NIODeadline.now().uptimeNanoseconds - begin)
        } catch {
            if !Task.isCancelled { result.failures += 1 }
        }
    }

    /// What real calls have: some metadata, and a deadline.
    private static let metadata: Metadata = ["x-request-id": "0123456789abcdef"]
    private static func callOptions() -> CallOptions {
        CallOptions(metadata: metadata, deadline: .after(.seconds(20)))
    }

    /// 64 bytes that begin with the length of the request.
    private func isReply(_ reply: Payload, to request: Payload) -> Bool {
        let length = request.message.readableBytes + (request.attachment?.readableBytes ?? 0)
        let echoed = reply.message.getInteger(at: reply.message.readerIndex, as: UInt64.self)
        return reply.message.readableBytes == 64 && echoed == UInt64(length)
    }

    /// Small calls beside the load, at a steady pace, until cancelled.
    func probe() async -> Result {
        let path = options.probePath ?? options.path
        let small = Payload(ByteBuffer(repeating: 0x2a, count: options.probePath == nil ? 64 : 0))
        var result = Result()
        while (try? await Task.sleep(for: .milliseconds(options.probe))) != nil {
            await call(connections[0], path, small, &result)
        }
        return result
    }
}

/// Calls that may still be made.
private final class Budget: Sendable {
    private let isUnlimited: Bool
    private let left: Atomic<Int>

    init(_ count: Int?) {
        isUnlimited = count == nil
        left = Atomic(count ?? 0)
    }

    func take() -> Bool { isUnlimited || left.subtract(1, ordering: .relaxed).oldValue > 0 }
}
