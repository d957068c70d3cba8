import Foundation
import Gateway
import Logging
import Messages
import NIOCore
import NIOPosix
import RPC
import Services

/// Looks at a role that speaks gRPC.
struct RPCDoctor: Sendable {
    let doctor: Doctor
    let address: ServerAddress

    private var deadline: Deadline { .after(doctor.timeout) }

    func look(_ findings: inout Findings) async throws {
        let tls = try doctor.security.clientTLS()
        var shown: CertificateLook.Outcome?
        if tls != nil {
            shown = await look()
            // Whether it is trusted is seen when we connect.
            if case .certificate(let certificate)? = shown {
                try findings.add(.ok("tls", "its certificate is \(certificate.text)"))
            }
        }
        var configuration = ClientConfiguration()
        configuration.connectTimeout = doctor.timeout
        configuration.tls = tls
        let connection: RPCConnection
        do {
            connection = try await RPCConnection.connect(
                to: address, configuration: configuration, group: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "framemesh.doctor") { _ in SwiftLogNoOpLogHandler() })
            // A server that speaks something else is found out by the first call.
            _ = try await connection.checkHealth(options: CallOptions(deadline: deadline))
        } catch let error as RPCError {
            return try findings.add(await explain(error, shown))
        }
        defer { connection.close() }
        try findings.add(.ok("grpc", "it speaks HTTP/2 and gRPC" + (tls == nil ? ", in plain text" : ", over TLS")))
        var calls = RPCChannelConfiguration()
        calls.interceptors = try doctor.security.interceptors()
        let channel = RPCChannel(OneConnection(connection, name: "\(address)"), configuration: calls)
        let services = try await health(connection, &findings)
        try await roundTrip(connection, &findings)
        if services.contains(ServiceName.vision) {
            return try await MeshDoctor(doctor: doctor, channel: channel).look(&findings)
        }
        if services.contains(ServiceName.node) {
            return try await NodeDoctor(doctor: doctor, channel: channel).look(&findings)
        }
        try findings.add(
            .wrong(
                "health", "it is no coordinator and no node of Framemesh",
                do: "Another program has this address. Is the port right?"))
    }

    // ---- what is there ----

    /// - Returns: the services that it has.
    private func health(_ connection: RPCConnection, _ findings: inout Findings) async throws -> Set<String> {
        let statuses: [String: HealthService.Status]
        do {
            statuses = try await connection.listHealth(options: CallOptions(deadline: deadline))
        } catch let error as RPCError {
            try findings.add(.note("health", "it does not list its services: \(error)"))
            return []
        }
        let ill = statuses.filter { $0.value != .serving }.keys.sorted()
        if ill.isEmpty {
            let names = statuses.keys.filter { !$0.isEmpty }.sorted().joined(separator: ", ")
            try findings.add(.ok("health", "all of it serves: \(names)"))
        } else {
            let names = ill.map { $0.isEmpty ? "the whole" : $0 }.joined(separator: ", ")
            try findings.add(
                .wrong(
                    "health", "not serving: \(names)", do: "It is starting, or ending: look at its log, and ask again.")
            )
        }
        return Set(statuses.keys)
    }

    private func roundTrip(_ connection: RPCConnection, _ findings: inout Findings) async throws {
        var times: [Duration] = []
        for _ in 0..<Doctor.trips {
            let start = ContinuousClock.now
            do {
                _ = try await connection.checkHealth(options: CallOptions(deadline: deadline))
            } catch {
                return try findings.add(
                    .wrong(
                        "round trip", "a call was not answered: \(error)",
                        do: "It is very busy, or the network loses packets."))
            }
            times.append(ContinuousClock.now - start)
        }
        try findings.add(Doctor.roundTrip(times))
    }

    // ---- what is not ----

    /// nil: a socket of this host.
    private func look() async -> CertificateLook.Outcome? {
        guard let (host, port) = doctor.place.hostPort else { return nil }
        return await CertificateLook(host: host, port: port, protocols: ["h2", "http/1.1"]).look(within: doctor.timeout)
    }

    /// - Parameter shown: in a TLS handshake; nil: it was asked in plain text.
    private func explain(_ error: RPCError, _ shown: CertificateLook.Outcome?) async -> Finding {
        let text = "\(error.message)"
        guard let (host, port) = doctor.place.hostPort else {
            return .wrong("grpc", text, do: "Is the role that owns this socket still running?")
        }
        let name = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        if let shown {
            guard case .certificate(let certificate) = shown else {
                if case .status = await GatewayProbe().ask(Self.url("http", name), timeout: doctor.timeout) {
                    return .wrong(
                        "tls", "it speaks plain HTTP/1, without TLS: \(text)", do: "For a gateway ask http://\(name)")
                }
                if case .silent = shown { return .silent("tls", within: doctor.timeout) }
                return .wrong(
                    "tls", "it does not speak TLS: \(text)",
                    do: "Leave out --tls and --tls-…, or say --no-tls where the configuration has them; or give the "
                        + "role a certificate.")
            }
            return tlsTrouble(text, certificate)
        }
        let secure = await look()
        if case .certificate(let certificate)? = secure {
            return .wrong(
                "grpc", "it speaks TLS, and was asked in plain text (its certificate is \(certificate.text))",
                do:
                    "Add --tls, or --tls-ca FILE with the authority that its certificate is of; for a gateway ask https://\(name)"
            )
        }
        if case .status = await GatewayProbe().ask(Self.url("http", name), timeout: doctor.timeout) {
            return .wrong("grpc", "it speaks HTTP/1, not gRPC", do: "For a gateway ask http://\(name)")
        }
        if case .silent? = secure { return .silent("grpc", within: doctor.timeout) }
        return .wrong("grpc", text, do: "Whatever listens there does not speak gRPC. Is the port right?")
    }

    private static func url(_ scheme: String, _ name: String) -> URL {
        URL(string: "\(scheme)://\(name)") ?? URL(fileURLWithPath: "/")
    }

    private func tlsTrouble(_ text: String, _ certificate: CertificateLook.Certificate) -> Finding {
        let now = Date()
        let advice =
            if certificate.to < now {
                "Its certificate has expired: renew it, and let the role read it (it looks at the file every 5 s)."
            } else if certificate.from > now {
                "Its certificate is not valid yet: is the clock of this machine right?"
            } else if text.contains("another name") {
                "Call it by one of the names of its certificate (\(certificate.names.joined(separator: ", "))), or name one "
                    + "with --tls-server-name."
            } else if text.contains("authority") && !text.contains("our certificate") {
                "Name the authority that has signed its certificate (\(certificate.issuer)) with --tls-ca FILE."
            } else if text.contains("certificate of ours") || text.contains("our certificate") {
                "It wants to know who calls: --tls-certificate and --tls-key, of an authority that it trusts."
            } else {
                "Look at its log: it says what it does not like."
            }
        return .wrong("tls", text, do: advice)
    }
}
