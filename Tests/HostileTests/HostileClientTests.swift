import Foundation
import RPC
import TestSupport
import Testing

/// Servers that behave badly (python/hostile_server.py) against our client, a process of its own: each call ends, soon, with
/// a code that fits. After each the process lives and holds nothing of it, its memory was bounded, and good servers are
/// served, also on a channel that was there all the time.
@Suite(.timeLimit(.minutes(10))) struct HostileClientTests {
    /// What one call to the server of this name ends with.
    static let endings: [String: Set<StatusCode>] = [
        "good": [.ok], "polite": [.ok], "never-acknowledges": [.ok],
        // They wait for their turn, and then it is late.
        "streams-0": [.deadlineExceeded], "window-0": [.deadlineExceeded],
        // No connection.
        "silent": [.unavailable], "never-accepts": [.unavailable], "closes": [.unavailable], "http1": [.unavailable],
        "garbage": [.unavailable],
        "tls-alert": [.unavailable],
        // Heads and trailers.
        "no-status": [.internal], "a-thousand-1xx": [.ok], "no-grpc-status": [.unknown], "no-trailers": [.unknown],
        "html": [.unknown], "http-400": [.internal], "http-401": [.unauthenticated], "http-403": [.permissionDenied],
        "http-404": [.unimplemented], "http-429": [.unavailable], "http-500": [.unknown], "http-502": [.unavailable],
        "http-503": [.unavailable], "http-504": [.unavailable], "http-302": [.unknown],
        "grpc-status-999": [.unknown], "grpc-status-minus": [.unknown], "grpc-status-empty": [.unknown],
        "grpc-status-word": [.unknown], "grpc-status-huge": [.unknown], "bad-percent": [.invalidArgument],
        "long-message": [.invalidArgument], "long-trailers": [.resourceExhausted],
        // Messages.
        "message-over-the-limit": [.resourceExhausted], "two-messages": [.internal], "unknown-flag": [.internal],
        "compressed-unasked": [.internal], "end-inside-a-message": [.internal],
        "data-before-head": [.internal, .unavailable],
        "endless-answer": [.internal, .resourceExhausted],
        "empty-message-flood": [.internal, .resourceExhausted],
        "half-an-answer": [.unavailable], "dripping-answer": [.unavailable],
        "no-status-after-an-answer": [.unavailable],
        // What came whole is kept, whatever follows.
        "data-after-the-end": [.ok], "reset-after-the-end": [.ok], "headers-after-the-end": [.ok],
        "goaway-at-and-answer": [.ok], "goaway-falling": [.ok], "answer-to-another-stream": [.ok, .unavailable],
        // Streams and connections that end.
        "push-promise": [.unavailable, .internal], "refused": [.unavailable], "calm-down": [.resourceExhausted],
        "goaway-below": [.unavailable], "goaway-rising": [.unavailable], "goaway-even": [.unavailable],
        "even-stream": [.unavailable], "bad-hpack": [.unavailable],
        "frame-too-large": [.unavailable], "window-overflow": [.unavailable], "upper-case": [.internal],
        "header-bomb": [.unavailable, .resourceExhausted], "settings-flood": [.unavailable],
        "ping-flood": [.unavailable], "continuation-flood": [.unavailable], "empty-data-flood": [.unavailable],
        "1xx-flood": [.unavailable], "window-update-flood": [.unavailable], "connection-update-flood": [.unavailable],
        "priority-flood": [.unavailable], "unknown-type-flood": [.unavailable], "pong-flood": [.unavailable],
        "goaway-flood": [.unavailable], "push-flood": [.unavailable], "dead-stream-flood": [.ok],
    ]

    /// The counter that moves, whatever the kind of the call.
    static let reasons: [String: String] = [
        "never-accepts": "handshake_timeout", "silent": "handshake_timeout",
        "garbage": "connection_violation", "http1": "connection_violation", "bad-hpack": "connection_violation",
        "answer-to-another-stream": "connection_violation", "data-before-head": "connection_violation",
        "goaway-rising": "connection_violation", "goaway-even": "connection_violation",
        "even-stream": "connection_violation", "frame-too-large": "connection_violation",
        "push-promise": "connection_violation", "window-overflow": "connection_violation",
        "upper-case": "stream_violation",
        "continuation-flood": "continuations", "header-bomb": "header_block", "empty-data-flood": "empty_data",
        "1xx-flood": "idle_frames", "window-update-flood": "idle_frames", "connection-update-flood": "idle_frames",
        "priority-flood": "idle_frames", "unknown-type-flood": "idle_frames", "pong-flood": "idle_frames",
        "goaway-flood": "idle_frames", "push-flood": "idle_frames", "ping-flood": "pings", "settings-flood": "settings",
        "long-trailers": "metadata",
        "no-grpc-status": "malformed_call", "no-trailers": "malformed_call", "grpc-status-999": "malformed_call",
        "grpc-status-minus": "malformed_call", "grpc-status-empty": "malformed_call",
        "grpc-status-word": "malformed_call", "grpc-status-huge": "malformed_call",
        "html": "not_grpc", "http-302": "not_grpc", "http-400": "not_grpc", "http-401": "not_grpc",
        "http-403": "not_grpc", "http-404": "not_grpc", "http-429": "not_grpc", "http-500": "not_grpc",
        "http-502": "not_grpc", "http-503": "not_grpc", "http-504": "not_grpc",
        "message-over-the-limit": "message_bytes", "compressed-unasked": "malformed_call",
        "end-inside-a-message": "malformed_call", "unknown-flag": "malformed_call",
        "half-an-answer": "slow_answer", "dripping-answer": "slow_answer",
    ]

    static let deadline = Duration.seconds(20)
    /// Of a case, above what the process had before: the memory budget, and windows for what waits.
    static let maxMemory = 96 << 20
    /// Memory of a process under a sanitizer says nothing.
    static let watchesMemory = ProcessInfo.processInfo.environment["HOSTILE_IGNORE_MEMORY"] == nil

    /// Where a kind of call ends otherwise.
    static func endings(_ name: String, _ kind: Kind) -> Set<StatusCode> {
        switch (name, kind) {
        // It takes any number of answers.
        case ("two-messages", .stream), ("two-messages", .channelStream): [.ok]
        // A stream may be quiet between its messages.
        case ("no-status-after-an-answer", .stream), ("no-status-after-an-answer", .channelStream): [.deadlineExceeded]
        // Sent once more, to which this server says nothing.
        case ("refused", .channel), ("refused", .channelStream): [.deadlineExceeded]
        default: endings[name] ?? []
        }
    }

    enum Kind: String, CaseIterable { case unary, stream, channel, channelStream }

    /// Each case on the same process, which also has a channel to a good server all the time.
    @Test(arguments: Kind.allCases)
    func everyCallEndsSoonWithACodeThatFits(_ kind: Kind) async throws {
        let servers = try ChildProcess(
            Injector.interpreter, [Injector.folder.appending(path: "hostile_server.py").path], input: .open)
        _ = try await servers.line(startingWith: "ready")
        let caller = try CallerProcess()
        func port(_ name: String) async throws -> Int {
            try #require(Int(try await servers.line(startingWith: name + " ")))
        }
        func works(after name: String) async throws {
            for (kind, server) in [(kind.rawValue, "good"), ("standing", "polite")] {
                let outcome = try await caller.call(kind, try await port(server), within: Self.deadline)
                #expect(outcome.code == 0, "\(server) after \(name): \(outcome.text)")
            }
        }
        try await works(after: "its start")
        let descriptors = try await caller.settledDescriptors()
        for name in Self.endings.keys.sorted() {
            let expected = Self.endings(name, kind)
            let waits = expected == [.deadlineExceeded]
            let outcome = try await caller.call(
                kind.rawValue, try await port(name), within: waits ? .seconds(1) : Self.deadline)
            let what = "\(name), \(kind): \(outcome)"
            #expect(expected.contains(StatusCode(rawValue: outcome.code)), "\(what)")
            #expect(outcome.took < Self.deadline, "\(what)")
            #expect(outcome.reserved == 0, "\(what)")
            if waits { #expect(outcome.processorSeconds < 0.5, "it does not sleep: \(what)") }
            if let reason = Self.reasons[name] { #expect(outcome.reasons.contains(reason), "\(what)") }
            if Self.watchesMemory { #expect(outcome.memory < Self.maxMemory, "\(what)") }
            try await works(after: name)
        }
        let left = try await caller.settledDescriptors()
        #expect(left == descriptors)
        try await caller.finish()
        servers.closeInput()
        _ = try await servers.finish(within: .seconds(60))
    }
}
