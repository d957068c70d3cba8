import Foundation
import NIOPosix

/// Loads a server with unary calls of one kind and prints one line of JSON: what came through, how long it took, and
/// what it cost this process.
@main
struct OursClient {
    static func main() async throws {
        let options = Options(CommandLine.arguments.dropFirst())
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        var links: [Link] = []
        for _ in 0..<options.connections { links.append(try await Link(options, group)) }
        let load = Load(options, links)
        if options.warmUp > 0 { _ = await load.run(seconds: options.warmUp, count: nil) }

        let probe = options.probe > 0 ? Task { await load.probe() } : nil
        let before = CPUTime.now
        let result = await load.run(seconds: options.seconds, count: options.count)
        let cpu = CPUTime.now - before
        probe?.cancel()
        print(Report(options: options, result: result, cpu: cpu, probe: await probe?.value).json)
        for link in links { link.close() }
        try await group.shutdownGracefully()
    }
}
