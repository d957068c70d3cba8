import ArgumentParser
import Gateway
import Mesh
import RPC
import Results
import Traces

struct LimitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "List every limit, with its default.",
        discussion: """
            Limits are set by `--limit NAME=VALUE`, by `limits.NAME` in the configuration file, or by $FRAMEMESH_LIMITS_NAME. \
            Bytes may have KiB, MiB or GiB, times ms, s, m or h; `off` is a value where there may be no limit. \
            Of client commands, those of sources (stream-…) are for `video` with a URL alone, and resume-timeout is for those \
            that send frames as streams.

            Examples:
              framemesh limits
              framemesh limits --json | jq -r 'select(.unit == "seconds").name'
              framemesh coordinator --limit max-connection-age=30m \\
                --limit max-attachment-bytes=128MiB
              framemesh send --limit connect-timeout=10 --pipeline detect dog.jpg
            """)

    @Flag(help: "One JSON object a line, one line a limit.") var json = false

    func run() throws {
        let console = Console()
        for (index, group) in LimitGroup.all.enumerated() {
            if json {
                for row in group.rows { try console.print(row.json(set: group.flag)) }
            } else {
                try console.print(
                    (index == 0 ? "" : "\n") + "\(group.title): \(group.flag) NAME=VALUE, \(group.section).NAME\n")
                try console.print(group.table)
            }
        }
    }
}

/// The limits that one flag sets.
private struct LimitGroup {
    struct Row {
        var name, value, unit, text: String
        var canBeOff: Bool

        func json(set flag: String) -> String {
            JSONText.object { json in
                json.field("flag", flag)
                json.field("name", name)
                json.field("default", value)
                json.field("unit", unit)
                json.field("can_be_off", canBeOff)
                json.field("text", text)
            }
        }
    }

    var title: String
    var flag: String
    var section: String
    var rows: [Row]

    init<Root>(
        _ title: String, _ flag: String, _ section: Settings.LimitSection, _ limits: [Limit<Root>], of defaults: Root
    ) {
        self.title = title
        self.flag = flag
        self.section = section.rawValue
        rows = limits.map {
            Row(
                name: $0.name, value: $0.value(in: defaults), unit: $0.unit.rawValue, text: $0.text,
                canBeOff: $0.canBeOff)
        }
    }

    static let all = [
        LimitGroup("Roles", "--limit", .roles, RoleLimits.all, of: RoleLimits()),
        LimitGroup(
            "A coordinator's connections to its nodes", "--node-limit", .nodes, ChannelConfiguration.limits,
            of: ChannelConfiguration()),
        LimitGroup("Client commands", "--limit", .clients, ClientLimits.all, of: ClientLimits()),
        LimitGroup("A gateway", "--limit", .gateways, GatewayLimits.limits, of: GatewayLimits()),
        LimitGroup(
            "A gateway's connections to coordinators", "--coordinator-limit", .coordinators, ClientLimits.ofCalls,
            of: ClientLimits()),
        LimitGroup("The export of traces", "--trace-limit", .traces, TraceLimits.limits, of: TraceLimits()),
    ]

    var table: String {
        var table = Table("name", "default>", "unit", "", maxCellWidth: 100)
        for row in rows { table.add(row.name, row.value, row.unit, row.text) }
        return table.text
    }
}
