import ArgumentParser
import RPC
import Results

/// A look at a role's configuration in place of the role.
struct CheckConfigOption: ParsableArguments {
    @Flag(
        name: .customLong("check-config"),
        help: "Read and check all of it, models and certificates too, print what would run, and end; no port is opened."
    )
    var isOn = false

    /// One JSON object.
    /// - Throws: what `fields` does, as wrong usage.
    func report(_ role: String, _ fields: (inout JSONText) throws -> Void) throws {
        var json = JSONText()
        var failure: (any Error)?
        json.object { json in
            json.field("role", role)
            do { try fields(&json) } catch { failure = error }
        }
        if let failure { throw Fatal(Fatal(failure).message, status: .usage) }
        try Console().print(json.text)
    }
}

extension JSONText {
    mutating func ports(health: ServerAddress?, metrics: MetricsPlace?) {
        if let health { field("health_listen", "\(health)") }
        if let metrics { field("metrics_listen", "\(metrics)") }
    }

    mutating func place(zone: String, cluster: String) {
        if !zone.isEmpty { field("zone", zone) }
        if !cluster.isEmpty { field("cluster", cluster) }
    }

    /// What is asked of clients: none, server or mutual.
    mutating func field(_ key: String, _ tls: ServerTLS?) {
        let kind =
            switch tls?.clients {
            case nil: "none"
            case .required: "mutual"
            case .anyone, .optional: "server"
            }
        field(key, kind)
    }

    mutating func field(_ key: String, _ seconds: Duration) {
        field(key, seconds / .seconds(1), decimals: 3)
    }
}
