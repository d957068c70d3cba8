import Synchronization
import Tracing

@testable import Traces

/// Keeps the spans that have ended.
final class SpanCollector: Sendable {
    private let state = Mutex<[FinishedSpan]>([])

    var spans: [FinishedSpan] { state.withLock { $0 } }

    func tracer(ratio: Double = 1) -> MeshTracer {
        MeshTracer(ratio: ratio) { span in self.state.withLock { $0.append(span) } }
    }

    func named(_ name: String) -> [FinishedSpan] { spans.filter { $0.name == name }.sorted { $0.start < $1.start } }

    /// Once so many have ended.
    func wait(for count: Int) async throws {
        while spans.count < count { try await Task.sleep(for: .milliseconds(5)) }
    }
}

extension FinishedSpan {
    func text(_ attribute: String) -> String? {
        switch attributes.get(attribute) {
        case .string(let text): text
        case .int64(let number): "\(number)"
        case .bool(let isTrue): "\(isTrue)"
        default: nil
        }
    }
}
