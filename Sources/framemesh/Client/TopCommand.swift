import ArgumentParser

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "The nodes of a mesh, again and again: as nodes --watch.",
        discussion: """
            Examples:
              framemesh top
              framemesh top --coordinator 10.0.0.5:8500 --interval 0.5
            """)

    @OptionGroup var coordinator: CoordinatorOption

    @Option(help: ArgumentHelp("Seconds between two looks.", valueName: "s")) var interval = NodesScreen.interval

    func validate() throws { try NodesScreen.check(interval) }

    func run() async throws {
        try await NodesScreen(coordinator: coordinator, json: false, interval: .seconds(interval)).show()
    }
}
