import Logging
package import Mesh
package import Messages
import NIOCore
import NIOPosix
package import RPC
package import Services

/// The coordinators of one target, of which one has answered, and what they offer.
///
/// Unary calls go to any of them that is ready; a stream stays at one for as long as that lives.
package struct MeshClient: Sendable {
    /// For the first answer of a coordinator, and for what it says of itself later.
    package static let answerTimeout: Duration = .seconds(10)

    /// HOST:PORT as the user wrote it, of the one that answered first.
    package let name: String
    /// All coordinators are on this machine.
    package let isThisHost: Bool
    package let pipelines: [PipelineDescription]
    let resumeTimeout: Duration
    let readyTimeout: Duration
    private let channel: BalancedChannel
    private let running: Task<Void, Never>

    package var vision: VisionClient { VisionClient(ChannelCaller(channel: channel, endpoint: nil)) }

    /// Every coordinator of the target, as calls of this client find it, sorted by name.
    package var coordinators: [EndpointState] { channel.endpoints() }

    /// - Parameter coordinator: a name in `coordinators`; its calls go nowhere else.
    package func vision(on coordinator: String) -> VisionClient {
        VisionClient(ChannelCaller(channel: channel, endpoint: coordinator))
    }

    /// Looks for a coordinator of `target` that answers. Asking for the pipelines is the first contact: it tells a
    /// coordinator from anything else that listens there, and whether it lets us in.
    /// - Throws: `ClientError` that names each HOST:PORT that was tried, and why it was no use.
    package static func connect(
        to target: Target, _ configuration: MeshClientConfiguration = .init()
    ) async throws -> MeshClient {
        let addresses: [SocketAddress]
        do {
            addresses = try await target.resolve(configuration.channel.dns)
        } catch {
            throw unreachable("\(target.hostPorts): \(describe(error))")
        }
        var troubles: [String] = []
        var mismatch: TLSMismatch?
        for address in addresses {
            let name = target.name(of: address)
            do {
                let pipelines = try await firstContact(address, name, configuration.channel)
                return try await MeshClient(
                    target, name, pipelines, configuration, isThisHost: addresses.allSatisfy(\.isThisHost))
            } catch is CancellationError {
                throw CancellationError()
            } catch let error as ClientError {
                throw error
            } catch {
                if Task.isCancelled { throw CancellationError() }
                troubles.append("\(name): \(describe(error))")
                mismatch = mismatch ?? (error as? RPCError)?.tlsMismatch
            }
        }
        throw unreachable(troubles.joined(separator: "; "), mismatch)
    }

    /// On a connection of its own: how the first call fails is to be seen by the user, not to be made good.
    /// - Throws: `ClientError` if a coordinator is there and does not let us in; other errors if there is none.
    private static func firstContact(
        _ address: SocketAddress, _ name: String, _ configuration: ChannelConfiguration
    ) async throws -> [PipelineDescription] {
        let connection = try await RPCConnection.connect(
            to: address, authority: address.authority, configuration: configuration.client,
            group: MultiThreadedEventLoopGroup.singleton, logger: silent)
        defer { connection.close() }
        var calls = RPCChannelConfiguration()
        calls.interceptors = configuration.interceptors
        do {
            return try await VisionClient(RPCChannel(OneConnection(connection, name: name), configuration: calls))
                .pipelines(deadline: .after(answerTimeout))
        } catch let error as RPCError where [.unauthenticated, .permissionDenied].contains(error.code) {
            throw ClientError("the coordinator at \(name) refuses the call: \(error.code): \(error.message)", .refused)
        } catch let error as RPCError where error.code == .unimplemented {
            let services = try? await connection.listHealth(options: CallOptions(deadline: .after(answerTimeout)))
            guard services?[ServiceName.node] != nil else { throw error }
            throw RPCError(.unimplemented, "a node is there, no coordinator")
        }
    }

    private init(
        _ target: Target, _ name: String, _ pipelines: [PipelineDescription], _ configuration: MeshClientConfiguration,
        isThisHost: Bool
    ) async throws {
        self.name = name
        self.isThisHost = isThisHost
        self.pipelines = pipelines
        resumeTimeout = configuration.resumeTimeout
        readyTimeout = configuration.channel.readyTimeout
        let channel = BalancedChannel(
            target: target, healthService: ServiceName.vision, configuration: configuration.channel,
            group: MultiThreadedEventLoopGroup.singleton, logger: Self.silent)
        self.channel = channel
        running = Task { await channel.run() }
        do {
            try await channel.waitUntilReady(timeout: Self.answerTimeout)
        } catch {
            close()
            throw error
        }
    }

    private static func unreachable(_ reason: String, _ mismatch: TLSMismatch? = nil) -> ClientError {
        ClientError("no coordinator answers at \(reason)", .unreachable, tlsMismatch: mismatch)
    }

    /// A command says what went wrong itself, in one line.
    private static let silent = Logger(label: "framemesh") { _ in SwiftLogNoOpLogHandler() }

    /// - Throws: `ClientError` that names the pipelines there are.
    package func pipeline(named name: String) throws -> PipelineDescription {
        guard let found = pipelines.first(where: { $0.name == name }) else {
            let known = pipelines.map(\.name).joined(separator: ", ")
            throw ClientError("unknown pipeline '\(name)'; the coordinator at \(self.name) knows \(known)", .usage)
        }
        return found
    }

    /// - Parameter patience: how long it waits for a coordinator at most; nil: as other calls do.
    func openStream(within patience: Duration? = nil) async throws -> AnalyzeStreamClient {
        var options = CallOptions()
        options.readyTimeout = patience.map { min($0, readyTimeout) }
        return AnalyzeStreamClient(try await channel.open(MethodPath.analyzeStream, options: options))
    }

    package func close() {
        channel.close()
        running.cancel()
    }

    /// `error` of a call, with the coordinator's name if the connection is to blame.
    /// - Parameter ago: since when a stream tries to go on, of whose last attempt the error is; nil: of no other attempt.
    package func explaining(_ error: any Error, lost ago: Duration? = nil) -> any Error {
        guard let error = error as? RPCError, error.isOfConnection || error.code == .unavailable else { return error }
        var loss = "was lost"
        if let ago {
            // What the last attempt says of its time is not how long all of them took.
            let tenths: Double = ago / .milliseconds(100)
            loss += " \(tenths.rounded() / 10) s ago; the last attempt to go on"
        }
        return ClientError("the connection to the coordinator at \(name) \(loss): \(error.message)", .unreachable)
    }

    private static func describe(_ error: any Error) -> String {
        switch error {
        case let error as RPCError: error.message
        case let error as MeshError: error.message
        default: SystemError.text(error)
        }
    }
}

/// Typed calls over a balanced channel.
private struct ChannelCaller: Caller {
    let channel: BalancedChannel
    /// nil: any.
    let endpoint: String?

    func call(_ path: String, _ request: Payload, options: CallOptions) async throws -> ChannelResponse {
        guard let endpoint else { return try await channel.call(path, request, options: options) }
        let response = try await channel.unary(on: endpoint, path, request, options: options)
        return ChannelResponse(response: response, endpoint: endpoint, retries: 0)
    }

    var log: Logger? { channel.logger }
}

extension RPCError {
    /// Nothing more can be asked on this connection.
    package var isOfConnection: Bool { lostConnection || neverStarted }

    /// No other call would be answered either. What found no room among our own calls in time, or waited until its deadline, was
    /// never sent, too, and may say nothing of the connection.
    package var isOfAllCalls: Bool { isOfConnection && code != .resourceExhausted && code != .deadlineExceeded }
}

extension Target {
    /// HOST:PORT of all endpoints, or the path of a socket.
    private var names: [String] {
        switch kind {
        case .fixed(let list): list.map(\.description)
        case .dns(let name): [name.description]
        case .srv(let name): [name]
        case .unix: [description]
        }
    }

    package var hostPorts: String { names.joined(separator: ", ") }

    /// What the user calls `address`: by its own HOST:PORT, unless there was one name for all.
    fileprivate func name(of address: SocketAddress) -> String { names.count == 1 ? names[0] : address.endpointName }
}
