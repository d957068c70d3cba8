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
                    group.addTask {
                        var result = Result()
                        while left.take(), count != nil || clock.now < end {
                            await call(connection, &result)
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

    private func call(_ connection: RPCConnection, _ result: inout Result) async {
        let begin = NIODeadline.now().uptimeNanoseconds
        do {
            _ = try await connection.unary(options.path, request)
            result.calls.add(nanoseconds: NIODeadline.now().uptimeNanoseconds - begin)
        } catch {
            result.failures += 1
        }
    }

    /// Small calls beside the load, at a steady pace, until cancelled.
    func probe() async -> Result {
        let small = Payload(ByteBuffer(repeating: 0x2a, count: 64))
        var result = Result()
        while (try? await Task.sleep(for: .milliseconds(options.probe))) != nil {
            let begin = NIODeadline.now().uptimeNanoseconds
            do {
                _ = try await connections[0].unary(options.path, small)
                result.calls.add(nanoseconds: NIODeadline.now().uptimeNanoseconds - begin)
            } catch {
                if !Task.isCancelled { result.failures += 1 }
            }
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
