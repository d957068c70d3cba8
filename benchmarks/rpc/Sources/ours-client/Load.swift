import NIOCore
import RPC
import Synchronization

/// Calls in a closed loop: each caller starts its next call when the last one has been answered.
struct Load {
    let options: Options
    let links: [Link]
    let request: Payload

    struct Result: Sendable {
        var calls = Histogram()
        var failures = 0
        var seconds = 0.0
    }

    init(_ options: Options, _ links: [Link]) {
        self.options = options
        self.links = links
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
            for link in links {
                for _ in 0..<options.outstanding {
                    group.addTask(executorPreference: options.onLoop ? link.executor : nil) {
                        var result = Result()
                        while left.take(), count != nil || clock.now < end {
                            await call(link, options.path, request, from: .now(), &result)
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

    /// - Parameter begin: its latency counts from here.
    private func call(
        _ link: Link, _ path: String, _ request: Payload, from begin: NIODeadline, _ result: inout Result
    ) async {
        do {
            let response = try await link.unary(path, request, Self.callOptions())
            let isGood = path != options.path || isReply(response.payload, to: request)
            result.failures += isGood ? 0 : 1
            result.calls.add(nanoseconds: (NIODeadline.now() - begin).nanoseconds.magnitude)
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

    /// Small calls beside the load until cancelled, one at each tick, also while those before it are not answered yet;
    /// each counts from its tick.
    func probe() async -> Result {
        let path = options.probePath ?? options.path
        let small = Payload(ByteBuffer(repeating: 0x2a, count: options.probePath == nil ? 64 : 0))
        let interval = TimeAmount.milliseconds(Int64(options.probe))
        return await withTaskGroup(of: Result.self) { group in
            var tick = NIODeadline.now() + interval
            while (try? await Task.sleep(for: .nanoseconds(max(0, (tick - .now()).nanoseconds)))) != nil {
                group.addTask { [tick] in
                    var result = Result()
                    await call(links[0], path, small, from: tick, &result)
                    return result
                }
                tick = tick + interval
            }
            var sum = Result()
            for await result in group {
                sum.calls.add(result.calls)
                sum.failures += result.failures
            }
            return sum
        }
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
