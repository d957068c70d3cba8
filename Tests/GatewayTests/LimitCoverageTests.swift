import Foundation
import RPC
import TestSupport
import Testing

@testable import Gateway

/// Every limit of a gateway is one that a test has met.
@Suite struct LimitCoverageTests {
    /// How often something is looked at, or how it is shared out: these bound nothing that a peer sends.
    private static let paces: Set<String> = [
        "video-claim-interval", "video-retry-pause", "video-removal-rows", "video-webhook-senders",
        "video-webhook-turn", "webhook-backoff", "webhook-longest-backoff", "stream-reconnect",
        "stream-longest-reconnect", "stream-picture-quality",
        "video-keep-alive", "max-running-videos",
    ]

    private static func texts() throws -> String {
        let folders = ["GatewayTests", "AreasTests"].map { Place.root.appending(path: "Tests/\($0)") }
        let files = try folders.flatMap { folder in
            try FileManager.default.subpathsOfDirectory(atPath: folder.path).map { folder.appending(path: $0) }
        }
        let own = URL(fileURLWithPath: #filePath).lastPathComponent
        return try files.filter { $0.pathExtension == "swift" && $0.lastPathComponent != own }.map {
            try String(contentsOf: $0, encoding: .utf8)
        }.joined()
    }

    /// By its name (`max-pictures=1`, "max-pictures"), or as its property is set: `pictures.maxPictures = 1`, or
    /// `.maxPictures = 1` where no other limit's property is called so.
    @Test func eachIsNamedInATest() throws {
        let texts = try Self.texts()
        var unknown = Self.paces
        let paths = try GatewayLimits.limits.map { limit in
            let path = LimitProperties([limit], of: GatewayLimits()).named.first
            return try #require(path, "\(limit.name)").split(separator: ".")
        }
        for (limit, path) in zip(GatewayLimits.limits, paths) {
            unknown.remove(limit.name)
            let isAlone = paths.count { $0.last == path.last } == 1
            let isNamed =
                texts.contains("\"\(limit.name)\"") || texts.contains("\"\(limit.name)=")
                || texts.contains("\(path.suffix(2).joined(separator: ".")) = ")
                || isAlone && texts.contains(".\(path.last ?? "") = ")
            #expect(isNamed || Self.paces.contains(limit.name), "no test knows \(limit.name) (\(path))")
        }
        #expect(unknown.isEmpty, "there are no such limits")
    }
}
