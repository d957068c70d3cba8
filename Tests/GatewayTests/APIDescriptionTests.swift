import Foundation
import HTTPTypes
import Testing

@testable import Gateway

/// openapi.yaml names the routes that there are. What they answer is compared in python/test_openapi.py.
@Suite struct APIDescriptionTests {
    /// `GET /v1/videos/{id}`
    private static func described() throws -> Set<String> {
        var found: Set<String> = []
        var path: Substring = ""
        for line in try String(contentsOf: Place.apiDescription, encoding: .utf8).split(separator: "\n") {
            if let match = line.wholeMatch(of: #/ {2}(/\S*):/#) { path = match.1 }
            if !path.isEmpty, let match = line.wholeMatch(of: #/ {4}(get|put|post|delete):/#) {
                found.insert("\(match.1.uppercased()) \(path)")
            }
            if line == "components:" { break }
        }
        return found
    }

    private static func served() async throws -> Set<String> {
        try await TestGateway.with { gateway in
            // Each file of the page has a route of its own.
            Set(
                gateway.routes.filter { $0.method != .head }.map { route in
                    let path = "/" + route.path.split(separator: "/").joined(separator: "/")
                    return "\(route.method.rawValue) " + (path.hasPrefix("/page/") ? "/page/{file}" : path)
                })
        }
    }

    @Test func everyRouteIsDescribed() async throws {
        #expect(try await Self.served().subtracting(Self.described()).isEmpty)
    }

    @Test func whatIsDescribedIsThere() async throws {
        #expect(try await Self.described().subtracting(Self.served()).isEmpty)
    }
}
