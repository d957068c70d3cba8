import HTTP2
import NIOCore
import NIOPosix
import Synchronization

@testable import RPC

/// A client that sends calls in rounds, so many at a time, and counts the SETTINGS that it gets.
final class LargeSender: HTTP2Delegate {
    struct Round {
        let path: String
        /// Of each of its calls.
        private(set) var body = ByteBuffer()
        let calls: Int
        /// What each is to be answered with, a number.
        let answer: String

        init(_ path: String, calls: Int, answer: String) {
            self.path = path
            self.calls = calls
            self.answer = answer
        }

        mutating func add(_ message: ByteBuffer) {
            body.writeInteger(UInt8(0))
            body.writeInteger(UInt32(message.readableBytes))
            body.writeImmutableBuffer(message)
        }
    }

    private let session: Session
    private var rounds: ArraySlice<Round>
    private var current: Round?
    private var open = 0
    private var settings = 0
    private var seen: [Int] = []
    private var answers: [Int32: String] = [:]
    private let done: EventLoopPromise<[Int]>

    /// - Parameter counts: of calls, in each round.
    static func rounds(_ path: String, _ counts: [Int], of bytes: Int) -> [Round] {
        counts.map { count in
            var round = Round(path, calls: count, answer: "\(bytes)")
            round.add(ByteBuffer(repeating: 7, count: bytes))
            return round
        }
    }

    /// - Returns: SETTINGS until the end of each round. Every call was answered with the length of its message.
    static func settings(
        _ address: SocketAddress, _ path: String, _ counts: [Int], of bytes: Int
    ) async throws -> [Int] {
        try await settings(address, rounds(path, counts, of: bytes))
    }

    /// - Parameter watch: sees what the server sends.
    /// - Returns: as above. Every call was answered as it should be.
    static func settings(
        _ address: SocketAddress, _ rounds: [Round], watch: ConnectionCredit? = nil
    ) async throws -> [Int] {
        let (channel, seen) = try await ClientBootstrap(group: Loopback.group).connect(to: address) { channel in
            channel.eventLoop.makeCompletedFuture {
                let session = try Session(role: .client)
                let done = channel.eventLoop.makePromise(of: [Int].self)
                let sender = LargeSender(session, rounds, done)
                if let watch { try channel.pipeline.syncOperations.addHandler(watch.handler()) }
                try channel.pipeline.syncOperations.addHandler(
                    HTTP2Handler(session: session, delegate: sender, handshakeTimeout: .seconds(60)))
                return (channel, done.futureResult)
            }
        }
        defer { channel.close(promise: nil) }
        return try await seen.get()
    }

    private init(_ session: Session, _ rounds: [Round], _ done: EventLoopPromise<[Int]>) {
        self.session = session
        self.rounds = rounds[...]
        self.done = done
    }

    private func begin() {
        guard let round = rounds.popFirst() else { return done.succeed(seen) }
        current = round
        open = round.calls
        for _ in 0..<round.calls {
            guard let stream = try? session.request(RawClient.head(round.path)) else { continue }
            session.send(stream: stream, round.body)
            session.finish(stream: stream)
        }
    }

    func received(_ event: SessionEvent) {
        switch event {
        case .settings:
            settings += 1
            if settings == 1 { begin() }
        case .closed(let stream, let code):
            let answer = answers.removeValue(forKey: stream) ?? ""
            guard code == .noError, answer == current?.answer else {
                return done.fail(RPCError(.internal, "\(code), '\(answer)'"))
            }
            open -= 1
            guard open == 0 else { return }
            seen.append(settings)
            begin()
        default: break
        }
    }

    func received(stream: Int32, data: ByteBuffer) {
        answers[stream, default: ""] += String(buffer: data).filter(\.isNumber)
    }

    func ended(_ reason: (any Error)?) { done.fail(reason ?? ChannelError.eof) }
}

/// How much more its server has let a client send on its connection than came with the first 64 KiB (RFC 9113, section 6.9.2).
final class ConnectionCredit: Sendable {
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer

        private static let headerBytes = 9
        private let credit: ConnectionCredit
        private var waiting = ByteBuffer()

        init(_ credit: ConnectionCredit) { self.credit = credit }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            waiting.writeImmutableBuffer(unwrapInboundIn(data))
            while let head = waiting.getInteger(at: waiting.readerIndex, as: UInt64.self),
                let frame = waiting.readSlice(length: Self.headerBytes + Int(head >> 40))
            {
                let (type, start) = (UInt8(truncatingIfNeeded: head >> 32), frame.readerIndex)
                guard type == 8, frame.getInteger(at: start + 5, as: UInt32.self) == 0 else { continue }
                credit.bytes.add(Int(frame.getInteger(at: start + 9, as: UInt32.self) ?? 0), ordering: .relaxed)
            }
            context.fireChannelRead(data)
        }
    }

    let bytes = Atomic(0)

    func handler() -> some ChannelInboundHandler { Handler(self) }
}
