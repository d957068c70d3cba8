import Crypto
import Foundation
import HTTPTypes
import NIOCore
import RPC
import Testing

@testable import Gateway

/// Who may call what: every route there is.
@Suite struct AccessTests {
    private static func digest(_ token: String) -> String {
        SHA256.hash(data: Data(token.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func credentials() throws -> Credentials {
        try Credentials(
            text: """
                token sha256:\(digest("see")) viewer analyze
                token sha256:\(digest("run")) operator admin
                token sha256:\(digest("nothing")) nobody
                """)
    }

    @Test func everyRouteAsksForWhatItsTableSays() async throws {
        try await TestGateway.with {
            $0.credentials = try Self.credentials()
            // The unknown token below is shown to every route.
            $0.limits.rate.badTokensPerMinute = 1_000_000
        } _: { gateway in
            #expect(gateway.routes.count > 20)
            for route in gateway.routes {
                let path = route.path.replacing(/\{[a-z]+\}/, with: "x")
                func status(_ token: String?) async throws -> Int {
                    let headers = token.map { ["Authorization": "Bearer \($0)"] } ?? [:]
                    return try await gateway.send(route.method.rawValue, path, headers: headers).status
                }
                let refusals: Set<Int> = [401, 403]
                let name = "\(route.method.rawValue) \(route.path)"
                let unknown = try await status("unknown")
                let without = try await status(nil)
                #expect(unknown == 401, "\(name)")
                guard route.access != .open else {
                    #expect(!refusals.contains(without), "\(name)")
                    continue
                }
                let lacking = try await status("nothing")
                let other = try await status(route.access == .admin ? "see" : "run")
                let right = try await status(route.access == .admin ? "run" : "see")
                #expect(without == 401 && lacking == 403 && other == 403, "\(name)")
                #expect(!refusals.contains(right), "\(name)")
            }
        }
    }

    /// Nothing but this is open to everybody, and nothing of the administration is open to those who analyze.
    @Test func theTableOfRoutesIsWhatWasMeant() async throws {
        try await TestGateway.with { gateway in
            let open = gateway.routes.filter { $0.access == .open && $0.method == .get }.map(\.path)
            #expect(open.filter { !$0.hasPrefix("/page/") }.sorted() == ["/", "/healthz", "/openapi.yaml", "/readyz"])
            let admin = gateway.routes.filter { $0.access == .admin && $0.method == .get }.map(\.path)
            #expect(Set(admin).isSuperset(of: ["/metrics", "/v1/models", "/v1/nodes"]))
        }
    }

    @Test func withoutTokensOnlyThisMachineIsTheAdministrator() {
        let near = Caller(address: try? .init(ipAddress: "127.0.0.1", port: 1))
        let far = Caller(address: try? .init(ipAddress: "10.0.0.7", port: 1))
        let mapped = Caller(address: try? .init(ipAddress: "::ffff:10.0.0.7", port: 1))
        #expect(near.may(.admin, hasCredentials: false) && near.may(.analyze, hasCredentials: false))
        for caller in [far, mapped] {
            #expect(!caller.may(.admin, hasCredentials: false) && caller.may(.analyze, hasCredentials: false))
        }
        #expect(!near.may(.admin, hasCredentials: true), "a proxy on this machine calls for everybody")
    }

    @Test(arguments: ["Basic c2VlOnNlZQ==", "Bearer", "Bearer ", "Bearer a b", "bearersee"])
    func whatIsNoBearerTokenIsRefused(_ value: String) async throws {
        try await TestGateway.with {
            $0.credentials = try Self.credentials()
        } _: { gateway in
            let answer = try await gateway.get("/healthz", headers: ["Authorization": value])
            #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer")
        }
    }

    @Test func aTokenMayBeAsLongAsAHeader() async throws {
        let token = String(repeating: "t", count: 10_000)
        try await TestGateway.with {
            $0.credentials = try Credentials(text: "token sha256:\(Self.digest(token)) operator admin")
        } _: { gateway in
            let answer = try await gateway.get("/v1/nodes", headers: ["Authorization": "Bearer \(token)"])
            #expect(answer.status != 401)
            let other = try await gateway.get("/v1/nodes", headers: ["Authorization": "Bearer \(token)t"])
            #expect(other.status == 401)
        }
    }

    @Test func aTokenInTheAddressCountsForNothing() async throws {
        try await TestGateway.with {
            $0.credentials = try Self.credentials()
        } _: { gateway in
            let answer = try await gateway.get("/v1/nodes?token=run&access_token=run")
            #expect(answer.status == 401)
        }
    }

    @Test func whoGuessesTokensIsHeldOff() async throws {
        try await TestGateway.with {
            $0.credentials = try Self.credentials()
            $0.limits.rate.badTokensPerMinute = 3
        } _: { gateway in
            func status(_ token: String) async throws -> TestGateway.Answer {
                try await gateway.get("/healthz", headers: ["Authorization": "Bearer \(token)"])
            }
            for guess in 0..<3 { #expect(try await status("guess-\(guess)").status == 401) }
            // One more is taken after twenty seconds.
            let refused = try await status("guess-3")
            #expect(refused.status == 429 && refused.headers["retry-after"] != nil)
            #expect(try await status("run").status == 200, "who has a good token and the same address is no guesser")
            #expect(try refused.json()["limit_name"] as? String == "bad-tokens-per-minute")
        }
    }

    @Test func whoAsksTooOftenIsToldWhenToComeAgain() async throws {
        try await TestGateway.with {
            $0.limits.rate.requestsPerSecond = 1
            $0.limits.rate.burst = 3
        } _: { gateway in
            var statuses: [Int] = []
            for _ in 0..<20 {
                let answer = try await gateway.get("/openapi.yaml")
                statuses.append(answer.status)
                if answer.status == 429 { #expect(answer.headers["retry-after"] == "1") }
            }
            #expect(
                try await gateway.get("/healthz").status == 200, "probes share an address with whoever asks too often")
            #expect(statuses.prefix(3).allSatisfy { $0 == 200 } && statuses.contains(429), "\(statuses)")
        }
    }

    @Test func aBucketGivesWhatItsRateSays() {
        let start = ContinuousClock.now
        var bucket = TokenBucket(burst: 2, now: start)
        #expect(bucket.take(rate: 10, burst: 2, now: start) == nil)
        #expect(bucket.take(rate: 10, burst: 2, now: start) == nil)
        #expect(bucket.take(rate: 10, burst: 2, now: start) == .milliseconds(100))
        #expect(bucket.take(rate: 10, burst: 2, now: start + .milliseconds(150)) == nil)
        #expect(bucket.take(rate: 10, burst: 2, now: start + .milliseconds(151)) != nil)
        #expect(bucket.take(rate: 10, burst: 2, now: start + .seconds(100)) == nil)
    }

    @Test func theTableOfCallersDoesNotGrowForEver() {
        var table = RateTable<Int>()
        let start = ContinuousClock.now
        for caller in 0..<1000 {
            _ = table.with(caller, burst: 1, max: 16, now: start + .seconds(caller)) {
                $0.take(rate: 1, burst: 1, now: start + .seconds(caller))
            }
            #expect(table.count <= 16)
        }
    }
}
