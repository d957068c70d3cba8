import Logging
import Mesh
import Messages
import NIOCore
import NIOPosix
import RPC
import Services

/// One connection to a coordinator that has answered, and what it offers.
struct MeshClient: Sendable {
    /// For the first answer of a coordinator, and for what it says of itself later.
    static let answerTimeout: Duration = .seconds(10)

    /// HOST:PORT as the user wrote it.
    let name: String
    let address: SocketAddress
    let pipelines: [PipelineDescription]
    private let connection: RPCConnection
    /// With what stands around each call; nil: nothing does.
    private let channel: RPCChannel?

    /// How a coordinator is called.
    struct Calling: Sendable {
        var connection = ClientConfiguration()
        var interceptors: [any ClientInterceptor] = []
        var dns = DNSConfiguration()
    }

    var vision: VisionClient {
        if let channel { VisionClient(channel) } else { VisionClient(connection) }
    }

    /// Connects to the first endpoint of `target` that answers. Asking for the pipelines is the health check: it also
    /// tells a coordinator from anything else that listens there, and whether it takes attachments.
    /// - Throws: `Fatal` that names each HOST:PORT that was tried, and why it was no use.
    static func connect(to target: Target, _ calling: Calling = Calling()) async throws -> MeshClient {
        let addresses: [SocketAddress]
        do {
            addresses = try await target.resolve(calling.dns)
        } catch {
            throw unreachable("\(target.hostPorts): \(Fatal(error).description)")
        }
        var troubles: [String] = []
        for address in addresses {
            do {
                return try await connect(to: address, name: target.name(of: address), calling)
            } catch is CancellationError {
                throw CancellationError()
            } catch let error as Fatal {
                throw error
            } catch {
                if Task.isCancelled { throw CancellationError() }
                troubles.append("\(target.name(of: address)): \(Fatal(error).description)")
            }
        }
        throw unreachable(troubles.joined(separator: "; "))
    }

    /// Connects to one address.
    /// - Throws: `Fatal` if a coordinator is there and does not let us in; other errors if there is none.
    static func connect(to address: SocketAddress, name: String, _ calling: Calling) async throws -> MeshClient {
        let connection = try await RPCConnection.connect(
            to: address, authority: address.authority, configuration: calling.connection,
            group: MultiThreadedEventLoopGroup.singleton, logger: silent)
        do {
            return try await MeshClient(connection, name: name, address: address, calling.interceptors)
        } catch let error as RPCError where [.unauthenticated, .permissionDenied].contains(error.code) {
            connection.close()
            throw Fatal("the coordinator at \(name) refuses the call: \(error.code): \(error.message)")
        } catch {
            connection.close()
            throw error
        }
    }

    private init(
        _ connection: RPCConnection, name: String, address: SocketAddress, _ interceptors: [any ClientInterceptor]
    ) async throws {
        var configuration = RPCChannelConfiguration()
        configuration.interceptors = interceptors
        let channel = RPCChannel(OneConnection(connection, name: name), configuration: configuration)
        self.name = name
        self.address = address
        self.connection = connection
        self.channel = interceptors.isEmpty ? nil : channel
        pipelines = try await VisionClient(channel).pipelines(deadline: .after(Self.answerTimeout))
    }

    private static func unreachable(_ reason: String) -> Fatal {
        Fatal("no coordinator answers at \(reason)", status: .unreachable)
    }

    /// A command says what went wrong itself, in one line.
    private static let silent = Logger(label: "framemesh") { _ in SwiftLogNoOpLogHandler() }

    /// - Throws: `Fatal` that names the pipelines there are.
    func pipeline(named name: String) throws -> PipelineDescription {
        guard let found = pipelines.first(where: { $0.name == name }) else {
            let known = pipelines.map(\.name).joined(separator: ", ")
            throw Fatal("unknown pipeline '\(name)'; the coordinator at \(self.name) knows \(known)", status: .usage)
        }
        return found
    }

    func openStream() async throws -> AnalyzeStreamClient {
        let call =
            if let channel { try await channel.open(MethodPath.analyzeStream) } else {
                try await connection.open(MethodPath.analyzeStream)
            }
        return AnalyzeStreamClient(call)
    }

    func close() { connection.close() }

    /// `error` of a call, with the coordinator's name if the connection is to blame.
    func explaining(_ error: any Error) -> any Error {
        guard let error = error as? RPCError, error.isOfConnection else { return error }
        return Fatal("the connection to the coordinator at \(name) was lost: \(error.message)", status: .unreachable)
    }
}

extension RPCError {
    /// Nothing more can be asked on this connection.
    var isOfConnection: Bool { lostConnection || neverStarted }
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

    var hostPorts: String { names.joined(separator: ", ") }

    /// What the user calls `address`: by its own HOST:PORT, unless there was one name for all.
    func name(of address: SocketAddress) -> String { names.count == 1 ? names[0] : address.endpointName }
}
