import ArgumentParser

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "Show the nodes of a mesh, as its coordinator sees them.",
        discussion: """
            States: ready; connecting (see reason); unhealthy, it says so itself; wrong service, something else has its \
            address; silent, it does not answer; ejected, its calls failed. The last two get no calls while others are ready.

            Examples:
              framemesh nodes
              framemesh nodes --watch
              framemesh nodes --coordinator 10.0.0.5:8500
              framemesh nodes --json | jq -r 'select(.state != "ready").address'

            Exit code 0 if the coordinator answered, also when no node is ready.
            """)

    @OptionGroup var coordinator: CoordinatorOption

    @Flag(help: "One JSON object a line, one line a node.") var json = false

    @Flag(help: "Again and again, until interrupted or the coordinator is lost.") var watch = false

    @Option(help: ArgumentHelp("Seconds between two looks of --watch.", valueName: "s"))
    var interval = NodesScreen.interval

    func validate() throws { try NodesScreen.check(interval) }

    func run() async throws {
        try await NodesScreen(coordinator: coordinator, json: json, interval: watch ? .seconds(interval) : nil).show()
    }
}
