import Foundation
import TestSupport
import Testing

@testable import Telemetry

/// docs/observability.md, the words of help and the code name the same metrics.
@Suite struct CatalogueTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func thePageListsEveryMetricOnce() throws {
        let tables = try DocumentTable.all(of: "observability.md")
        let listed = tables.flatMap { $0.words(in: "metric") }.map { String($0.prefix { $0 != "{" }) }
        #expect(Set(listed) == Set(MetricCatalogue.entries.keys))
        #expect(Set(listed).count == listed.count)
    }

    @Test func everyMetricOfTheCodeHasHelp() throws {
        let files = FileManager.default.enumerator(
            at: Self.root.appending(path: "Sources"), includingPropertiesForKeys: nil)
        var named: Set<String> = []
        for case let file as URL in try #require(files)
        where file.pathExtension == "swift" && file.lastPathComponent != "MetricCatalogue.swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            named.formUnion(text.matches(of: /"((?:framemesh|rpc|http|process)_[a-z_]+)"/).map { String($0.1) })
        }
        // `MetricsInterceptor` makes their names.
        for direction in ["received", "sent"] {
            for what in ["bytes", "messages"] { named.insert("rpc_server_\(direction)_\(what)_total") }
        }
        // The catalogue's own.
        named.insert(MetricCatalogue.overflow)
        #expect(named == Set(MetricCatalogue.entries.keys))
    }

    @Test func namesAreAsPrometheusWantsThem() {
        for (name, entry) in MetricCatalogue.entries {
            #expect(entry.help.hasSuffix(".") && entry.help.count <= 100, "\(name)")
        }
    }
}
