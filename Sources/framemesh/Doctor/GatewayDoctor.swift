import Foundation
import Gateway
import RPC

/// Looks at a gateway, over HTTP, and through its eyes at the mesh.
struct GatewayDoctor: Sendable {
    let doctor: Doctor
    let url: URL

    private var probe: GatewayProbe {
        let security = doctor.security
        return GatewayProbe(
            GatewayTrust(
                authorities: security.authorities, certificate: security.certificate, key: security.key,
                serverName: security.serverName))
    }

    private var token: String? {
        doctor.security.tokenFile.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) }?
            .split(whereSeparator: \.isNewline).first.map(String.init)
    }

    func look(_ findings: inout Findings) async throws {
        var shown: CertificateLook.Outcome?
        if url.scheme == "https" {
            shown = await look()
            if case .certificate(let certificate)? = shown {
                try findings.add(.ok("tls", "its certificate is \(certificate.text)"))
            }
        }
        let before = Date().timeIntervalSince1970
        let reply: GatewayProbe.Reply
        switch await ask("healthz") {
        case .failure(let silence): return try findings.add(await explain(silence, shown))
        case .success(let found): reply = found
        }
        let after = Date().timeIntervalSince1970
        guard reply.status == 200, (try? JSONDecoder().decode(Status.self, from: reply.body))?.status == "ok" else {
            return try findings.add(
                .wrong(
                    "http", "it speaks HTTP, and is no gateway of Framemesh (/healthz: \(reply.status))",
                    do: reply.status == 421 || reply.status == 400
                        ? "Call it by a name that it knows, or tell it this one (--host-name)."
                        : "Another program has this address. Is the port right?"))
        }
        try findings.add(.ok("http", "a gateway answers"))
        if let date = reply.date.flatMap({ Self.dates.date(from: $0) }) {
            try findings.add(
                Doctor.clock(date.timeIntervalSince1970, between: (before, after), precision: Self.datePrecision))
        }
        try await roundTrip(&findings)
        try await ready(&findings)
        let known = try await nodes(&findings)
        try await pipelines(known, &findings)
    }

    /// It is of whole seconds, and made once a second.
    private static let datePrecision = 2.0

    private struct Status: Decodable { var status: String }

    /// RFC 9110, section 5.6.7.
    private static let dates: DateFormatter = {
        let dates = DateFormatter()
        dates.locale = Locale(identifier: "en_US_POSIX")
        dates.timeZone = TimeZone(identifier: "GMT")
        dates.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return dates
    }()

    private func ask(
        _ path: String, _ query: [URLQueryItem] = [], picture: Data? = nil
    ) async -> Result<GatewayProbe.Reply, GatewayProbe.Silence> {
        // A colon of the path is not a scheme's.
        var target = URL(string: "/\(path)", relativeTo: url)?.absoluteURL ?? url
        if !query.isEmpty { target.append(queryItems: query) }
        return await probe.reply(to: .init(target, picture: picture, token: token), timeout: doctor.timeout)
    }

    private func roundTrip(_ findings: inout Findings) async throws {
        var times: [Duration] = []
        for _ in 0..<Doctor.trips {
            let start = ContinuousClock.now
            switch await ask("healthz") {
            case .success(let reply) where reply.status == 200: times.append(ContinuousClock.now - start)
            case .success(let reply):
                return try findings.add(
                    .wrong(
                        "round trip", "a request was answered with \(reply.status): \(reply.reason ?? "")",
                        do: "It is full, or something between us and it answers in its stead: look at its log."))
            case .failure(let silence):
                return try findings.add(
                    .wrong(
                        "round trip", "a request was not answered: \(silence.reason)",
                        do: "It is very busy, or the network loses packets."))
            }
        }
        try findings.add(Doctor.roundTrip(times))
    }

    private func ready(_ findings: inout Findings) async throws {
        switch await ask("readyz") {
        case .success(let reply) where reply.status == 200:
            try findings.add(.ok("health", "it has a mesh with nodes that are ready"))
        case .success(let reply):
            try findings.add(
                .wrong(
                    "health", "it has no mesh that works (/readyz: \(reply.status)): \(reply.reason ?? "")",
                    do: "Look at the coordinator that it was told of (--coordinator): framemesh doctor HOST:PORT"))
        case .failure(let silence):
            try findings.add(.wrong("health", "/readyz: \(silence.reason)", do: "It is very busy: look at its log."))
        }
    }

    // ---- the mesh ----

    /// - Returns: the roles of those that are shown; nil: none is shown to us.
    private func nodes(_ findings: inout Findings) async throws -> Set<String>? {
        guard case .success(let reply) = await ask("v1/nodes") else { return nil }
        guard reply.status == 200 else {
            let why = reply.reason ?? "\(reply.status)"
            try findings.add(
                .note(
                    "nodes", "it does not show its nodes to us: \(why)", do: "A token with the scope admin sees them."))
            return nil
        }
        guard let mesh = try? JSONDecoder().decode(GatewayNodes.self, from: reply.body) else {
            try findings.add(.note("nodes", "what it says of its nodes is not known here: another version?"))
            return nil
        }
        try findings.add(Doctor.version(mesh.version))
        for coordinator in mesh.coordinators {
            let name = "coordinator \(coordinator.address)"
            if coordinator.state != "ready" {
                try findings.add(
                    .wrong(
                        "nodes", "\(name) is \(coordinator.state): \(coordinator.reason ?? "")",
                        do: "From where the gateway is: framemesh doctor \(coordinator.address)"))
                continue
            }
            guard !coordinator.nodes.isEmpty else {
                try findings.add(.withoutNodes(name))
                continue
            }
            try findings.add(.ok("nodes", "\(name) is ready"))
            for node in coordinator.nodes {
                try findings.add(Self.finding(node))
                if let build = node.build, build != Framemesh.version {
                    try findings.add(
                        .note("nodes", "\(node.address) is version \(build), ours is \(Framemesh.version)"))
                }
            }
        }
        return Set(mesh.coordinators.flatMap(\.nodes).map(\.role))
    }

    private static func finding(_ node: GatewayNodes.Node) -> Finding {
        let name = "\(node.role) \(node.address)"
        let reason = node.reason ?? ""
        guard node.state == "ready" else {
            return .wrong(
                "nodes", "\(name) is \(node.state): \(reason)",
                do: "From where the coordinator is: framemesh doctor \(node.address)")
        }
        return reason.isEmpty ? .ok("nodes", "\(name) is ready") : .unheard(name, reason)
    }

    private struct Answer: Decodable {
        struct Picture: Decodable {
            var status: String
            var cause: String?
        }
        var results: [Picture]
    }

    /// - Parameter known: roles of which there are nodes; nil: they are not shown to us.
    private func pipelines(_ known: Set<String>?, _ findings: inout Findings) async throws {
        guard case .success(let reply) = await ask("v1/pipelines"), reply.status == 200,
            let all = try? JSONDecoder().decode(GatewayPipelines.self, from: reply.body)
        else {
            return try findings.add(
                .wrong(
                    "pipelines", "it does not list its pipelines",
                    do: "It has no coordinator, or wants a token: --token-file FILE"))
        }
        let picture = try ProbePicture.png()
        var gap = PipelineGap()
        for pipeline in all.pipelines {
            if gap.takes(pipeline.name, missing: pipeline.missing, unoffered: pipeline.unoffered ?? []) { continue }
            let check = "pipeline \(pipeline.name)"
            if pipeline.needsStream {
                try findings.add(
                    .note(check, "not tried: it takes a stream; framemesh doctor of the coordinator tries it"))
                continue
            }
            let start = ContinuousClock.now
            switch await ask(
                "v1/images:analyze", [URLQueryItem(name: "pipeline", value: pipeline.name)], picture: picture)
            {
            case .failure(let silence):
                try findings.add(.wrong(check, silence.reason, do: "It is very busy: look at its log."))
            case .success(let reply):
                let time = Int(((ContinuousClock.now - start) / .milliseconds(1)).rounded())
                try findings.add(Self.finding(check, reply, time))
            }
        }
        for finding in gap.findings(known: known) { try findings.add(finding) }
        // Where nodes are shown, what is wrong with them was told.
        if known == nil, gap.count == all.pipelines.count {
            try findings.add(
                .wrong(
                    "pipelines", "it has no pipeline that can be asked for",
                    do: "Whoever runs the mesh can see what became of its nodes."))
        }
    }

    private static func finding(_ check: String, _ reply: GatewayProbe.Reply, _ milliseconds: Int) -> Finding {
        let answer = (try? JSONDecoder().decode(Answer.self, from: reply.body))?.results.first
        if reply.status == 200, answer?.status == "ok" {
            return .ok(check, "a picture was answered in \(milliseconds) ms")
        }
        let reason = answer?.cause ?? reply.reason ?? ""
        let advice =
            switch reply.status {
            case 401: "It wants to know who calls: --token-file FILE"
            case 403: "Whose token that is may not have pictures analysed: it needs the scope analyze."
            case 429: "It is full, or we have called too often."
            default: "Look at the nodes above, and at the gateway's log."
            }
        return .wrong(
            check, "a picture was answered with \(answer?.status ?? "\(reply.status)"): \(reason)", do: advice)
    }

    // ---- what is not there ----

    private func look() async -> CertificateLook.Outcome? {
        guard let (host, port) = doctor.place.hostPort else { return nil }
        return await CertificateLook(host: host, port: port, protocols: ["http/1.1", "h2"]).look(within: doctor.timeout)
    }

    /// - Parameter shown: in a TLS handshake; nil: it was asked in plain text.
    private func explain(_ silence: GatewayProbe.Silence, _ shown: CertificateLook.Outcome?) async -> Finding {
        let reason = silence.reason
        guard let (host, port) = doctor.place.hostPort else {
            return .wrong("http", reason, do: "Is the address right?")
        }
        let name = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        guard let shown else {
            switch await look() {
            case .certificate?:
                return .wrong(
                    "http", "it speaks TLS, and was asked in plain text",
                    do: "Ask https://\(name), with --tls-ca FILE if its authority is your own.")
            case .silent? where silence.cause == .time: return .silent("http", within: doctor.timeout)
            default: return .wrong("http", reason, do: "For a coordinator or a node ask \(name), without http://")
            }
        }
        guard case .certificate(let certificate) = shown else {
            if let plain = URL(string: "http://\(name)"),
                case .status = await GatewayProbe().ask(plain, timeout: doctor.timeout)
            {
                return .wrong("tls", "it speaks plain HTTP, without TLS", do: "Ask http://\(name)")
            }
            if case .silent = shown { return .silent("tls", within: doctor.timeout) }
            return .wrong(
                "tls", "it speaks neither TLS nor HTTP", do: "For a coordinator or a node ask \(name), without https://"
            )
        }
        let text = silence.cause == .tls ? "the TLS handshake fails: its certificate is not accepted here" : reason
        let now = Date()
        let advice =
            if certificate.to < now {
                "Its certificate has expired: renew it."
            } else if certificate.from > now {
                "Its certificate is not valid yet: is the clock of this machine right?"
            } else if !certificate.names.contains(doctor.security.serverName ?? host) {
                "Call it by one of the names of its certificate (\(certificate.names.joined(separator: ", "))), or name one with --tls-server-name; and name its authority with --tls-ca FILE."
            } else {
                "Name the authority that has signed its certificate (\(certificate.issuer)) with --tls-ca FILE."
            }
        return .wrong("tls", text, do: advice)
    }
}
