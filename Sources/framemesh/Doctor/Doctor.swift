import Foundation
import Mesh
import NIOCore
import NIOPosix
import RPC

/// Looks at one role from outside: first the way there, then what is there.
struct Doctor: Sendable {
    let place: DoctorPlace
    let security: ClientSecurity
    let dns: [DNSServer]
    let timeout: Duration

    /// A clock that is off by more makes deadlines, tokens and certificates fail.
    static let maxSkew = 1.0
    /// Round trips that are timed.
    static let trips = 10

    func look(_ findings: inout Findings) async throws {
        guard try await findWay(&findings) else { return }
        switch place {
        case .grpc(let address): try await RPCDoctor(doctor: self, address: address).look(&findings)
        case .http(let url, _, _): try await GatewayDoctor(doctor: self, url: url).look(&findings)
        }
    }

    // ---- the way ----

    /// - Returns: false: there is none, which was said.
    private func findWay(_ findings: inout Findings) async throws -> Bool {
        guard let (host, port) = place.hostPort else {
            guard case .grpc(.socket(let address)) = place else { return true }
            return try await connect([address], &findings)
        }
        if let address = try? SocketAddress(ipAddress: host, port: port) {
            return try await connect([address], &findings)
        }
        do {
            var configuration = DNSConfiguration()
            configuration.servers = dns
            let addresses = try await Target(parsing: "dns:///\(host):\(port)").resolve(configuration)
            let list = addresses.compactMap(\.ipAddress).joined(separator: ", ")
            try findings.add(.ok("name", "\(host) is \(list)"))
            return try await connect(addresses, &findings)
        } catch let error as MeshError {
            try findings.add(
                .wrong(
                    "name", "the name \(host) is not known: \(error.message)",
                    do: "Is it spelled right? Ask your DNS for it (dig \(host)), or name a server with --dns-server."))
            return false
        }
    }

    private func connect(_ addresses: [SocketAddress], _ findings: inout Findings) async throws -> Bool {
        var isThere = false
        for address in addresses {
            do {
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connectTimeout(TimeAmount(timeout)).connect(to: address).get()
                try await channel.close()
                isThere = true
                try findings.add(.ok("tcp", "\(address.endpointName) takes connections"))
            } catch let error as Fatal {
                throw error
            } catch {
                let (text, advice) = Self.words(error, timeout)
                try findings.add(.wrong("tcp", "\(address.endpointName): \(text)", do: advice))
            }
        }
        return isThere
    }

    private static func words(_ error: any Error, _ timeout: Duration) -> (text: String, advice: String) {
        let code = (error as? IOError)?.errnoCode
        switch code {
        case ECONNREFUSED, ENOENT:
            return (
                "nothing listens there", "Is the role running, and does it listen on this address (--listen)?"
            )
        case EACCES: return ("this user may not open it", "Look at who may use the file of the socket.")
        case nil:
            return (
                "no answer within \(timeout / .seconds(1)) s",
                "Something on the way drops packets: a firewall, a network policy, or the host is off."
            )
        case .some(let code):
            return (unsafe String(cString: strerror(code)), "Can this machine reach that network at all?")
        }
    }

    // ---- what every role has ----

    /// - Parameters:
    ///   - theirs: seconds since the epoch.
    ///   - span: between which it was said, of our own clock.
    ///   - precision: how many seconds what was said may be off by itself.
    static func clock(_ theirs: Double, between span: (Double, Double), precision: Double = 0) -> Finding {
        let off = max(0, theirs - (span.1 + precision)) + min(0, theirs - (span.0 - precision))
        guard abs(off) > maxSkew else {
            return .ok("clock", "its clock and ours show the same time, as far as can be seen")
        }
        let seconds = (abs(off) * 10).rounded() / 10
        return .wrong(
            "clock", "its clock is \(seconds) s \(off < 0 ? "behind" : "ahead of") ours",
            do: "Let both machines take their time from NTP: certificates, tokens and times in logs need it.")
    }

    static func version(_ theirs: String?) -> Finding {
        guard let theirs, !theirs.isEmpty else {
            return .note("version", "it does not say its version; ours is \(Framemesh.version)")
        }
        return theirs == Framemesh.version
            ? .ok("version", "\(theirs), as ours")
            : .note(
                "version", "it is \(theirs), ours is \(Framemesh.version)",
                do: "Versions that are near each other work together; the same one everywhere is better.")
    }

    static func roundTrip(_ times: [Duration]) -> Finding {
        let sorted = times.sorted().map { $0 / .milliseconds(1) }
        guard let least = sorted.first else { return .note("round trip", "not measured") }
        func text(_ milliseconds: Double) -> String { "\((milliseconds * 100).rounded() / 100) ms" }
        return .ok(
            "round trip",
            "\(text(least)) at least, \(text(sorted[sorted.count / 2])) in the middle of \(sorted.count)")
    }
}
