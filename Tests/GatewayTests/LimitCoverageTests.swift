import Foundation
import RPC
import TestSupport
import Testing

@testable import Gateway

/// Every limit of a gateway is one that a test has met.
@Suite struct LimitCoverageTests {
    /// How often something is looked at, or how it is shared out: these bound nothing that a peer sends.
    private static let paces: Set<String> = [
        "video-claim-interval", "video-retry-pause", "video-removal-rows", "video-webhook-senders", "webhook-backoff",
        "webhook-longest-backoff", "stream-reconnect", "stream-longest-reconnect", "stream-picture-quality",
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

    /// By its name (`max-pictures=1`, "max-pictures"), or as its property is set (`.maxPictures = 1`).
    @Test func eachIsNamedInATest() throws {
        let texts = try Self.texts()
        var unknown = Self.paces
        for limit in GatewayLimits.limits {
            unknown.remove(limit.name)
            let path = try #require(LimitProperties([limit], of: GatewayLimits()).named.first, "\(limit.name)")
            let property = path.split(separator: ".").last ?? ""
            let isNamed =
                texts.contains("\"\(limit.name)\"") || texts.contains("\"\(limit.name)=")
                || texts.contains(".\(property) = ")
            #expect(isNamed || Self.paces.contains(limit.name), "no test knows \(limit.name) (\(path))")
        }
        #expect(unknown.isEmpty, "there are no such limits")
    }
}
