import Foundation
import Logging
import NIOCore
import NIOPosix
import RPC

/// The client of a process that tests send to servers that behave badly: `hostile-target --client`.
///
/// Each line of its standard input is a call: `NUMBER KIND PORT MILLISECONDS`, the last how long it may take. For each it
/// says `NUMBER CODE BYTES REASONS`: how the call ended, what it still holds of the memory budget, and the counters of
/// limits that have moved so far, joined by commas.
struct HostileCaller {
    enum Kind: String {
        /// On a connection of its own.
        case unary, stream
        /// On a channel of its own.
        case channel, channelStream
        /// On the one channel that stays, to the first port that is asked so.
        case standing
    }

    let tally: Tally
    private let budget = MemoryBudget(limit: 64 << 20)
    private let group = MultiThreadedEventLoopGroup.singleton
    private let logger = Logger(label: "caller") { _ in SwiftLogNoOpLogHandler() }

    init(tally: Tally) { self.tally = tally }

    private let configuration: ClientConfiguration = {
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .seconds(5)
        configuration.answers.grace = .seconds(3)
        return configuration
    }()

    private static let path = "/test.Target/Echo"
    private static let request = Payload(ByteBuffer(string: "hello"))

    func run() async {
        let (lines, feed) = AsyncStream.makeStream(of: String.self)
        Thread.detachNewThread {
            while let line = readLine() { feed.yield(line) }
            feed.finish()
        }
        var standing: RPCChannel?
        defer { standing?.close() }
        for await line in lines {
            let words = line.split(separator: " ")
            guard words.count == 4, let kind = Kind(rawValue: String(words[1])), let port = Int(words[2]),
                let milliseconds = Int(words[3])
            else { fatalError("want NUMBER KIND PORT MILLISECONDS, not '\(line)'") }
            let options = CallOptions(deadline: .after(.milliseconds(milliseconds)))
            var code = StatusCode.ok
            var text = ""
            do {
                if kind == .standing {
                    let channel = try standing ?? channel(to: port)
                    standing = channel
                    _ = try await channel.unary(Self.path, Self.request, options: options)
                } else {
                    try await call(kind, port, options)
                }
            } catch {
                code = (error as? RPCError)?.code ?? .dataLoss
                text = "\(error)"
            }
            say("\(words[0]) \(code.rawValue) \(await released()) \(reasons) \(text)")
        }
    }

    /// What is still reserved, when nothing is given back any more.
    private func released() async -> Int {
        for _ in 0..<500 where budget.used > 0 { try? await Task.sleep(for: .milliseconds(10)) }
        return budget.used
    }

    private var reasons: String {
        let prefix = "rpc_limit_total,side=client,reason="
        let names = tally.text.split(separator: "\n").compactMap { line -> Substring? in
            guard line.hasPrefix(prefix), !line.hasSuffix(" 0") else { return nil }
            return line.dropFirst(prefix.count).replacing(" ", with: "=")[...]
        }
        return names.isEmpty ? "-" : names.joined(separator: ",")
    }

    private func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line.replacing("\n", with: " ") + "\n").utf8))
    }

    private func channel(to port: Int) throws -> RPCChannel {
        var endpoint = EndpointConfiguration()
        endpoint.client = configuration
        return try RPCChannel(to: "127.0.0.1:\(port)", endpoint: endpoint, budget: budget, group: group, logger: logger)
    }

    private func call(_ kind: Kind, _ port: Int, _ options: CallOptions) async throws {
        switch kind {
        case .unary, .stream:
            let connection = try await RPCConnection.connect(
                to: try SocketAddress(ipAddress: "127.0.0.1", port: port), configuration: configuration,
                budget: budget, group: group, logger: logger)
            let result = await Result {
                if kind == .unary {
                    _ = try await connection.unary(Self.path, Self.request, options: options)
                } else {
                    try await exchange(try await connection.open(Self.path, options: options))
                }
            }
            connection.close()
            _ = await connection.closed()
            try result.get()
        case .channel, .channelStream, .standing:
            let channel = try channel(to: port)
            defer { channel.close() }
            if kind == .channel {
                _ = try await channel.unary(Self.path, Self.request, options: options)
            } else {
                try await exchange(try await channel.open(Self.path, options: options))
            }
        }
    }

    private func exchange(_ call: ClientCall) async throws {
        try? await call.send(Self.request)
        call.finishSending()
        for try await _ in call.responses {}
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
