import Logging
import NIOCore
import NIOPosix
import RPC

struct GreeterClient {
    private let channel: RPCChannel

    /// Connects at the first call, and again when the connection is lost.
    init(address: String) throws {
        channel = try RPCChannel(
            to: address, group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "greeter-client"))
    }

    func greet(_ name: String) async throws -> String {
        let request = Payload(ByteBuffer(string: name))
        let answer = try await channel.unary(
            "/hello.v1.Greeter/Greet", request, options: CallOptions(deadline: .after(.seconds(30))))
        return String(buffer: answer.payload.message)
    }

    func close() { channel.drain() }
}
