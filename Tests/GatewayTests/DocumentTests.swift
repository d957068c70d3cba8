import RPC
import TestSupport
import Testing

@testable import Gateway

/// docs/http-api.md says what the code does.
@Suite struct DocumentTests {
    @Test func itListsEveryLimit() throws {
        let tables = try DocumentTable.all(of: "http-api.md").filter { $0.heading.hasPrefix("Limits") }
        let listed = tables.flatMap { $0.words(in: "name") }
        #expect(listed.sorted() == GatewayLimits.limits.map(\.name).sorted())
        #expect(Set(listed).count == listed.count)
    }

    @Test func everyNumberHasAName() {
        let properties = LimitProperties(GatewayLimits.limits, of: GatewayLimits())
        #expect(properties.faults.isEmpty)
        // How waits grow is the same everywhere; their ends have names.
        let growth = ["streams.sources.reconnect", "webhooks.backoff"].flatMap { ["\($0).factor", "\($0).jitter"] }
        #expect(properties.free == Set(growth))
    }

    @Test func everyLimitTakesItsOwnValue() throws {
        for limit in GatewayLimits.limits {
            var limits = GatewayLimits()
            try limit.set(limit.value(in: limits), in: &limits)
            #expect(limit.value(in: limits) == limit.value(in: GatewayLimits()), "\(limit.name)")
            #expect(limit.text.hasSuffix(".") && limit.text.count <= 100, "\(limit.name)")
        }
    }
}
