import ArgumentParser

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show a mesh at work on bundled pictures and a video.",
        discussion: """
            Starts a mesh as processes of their own (a coordinator, two detectors, a classifier), reads the numbers on \
            the bundled pictures, follows digits through the bundled video, and ends what it started. Nothing is \
            downloaded. Annotated pictures and an annotated video are left in the folder.

            Examples:
              framemesh demo
              framemesh demo --output /tmp/framemesh-demo
            """)

    @Option(help: ArgumentHelp("Where the annotated pictures and the video go.", valueName: "folder"))
    var output = "./framemesh-demo"

    func run() async throws {
        let demo = try Demo(output: output)
        try await Interrupts.run { try await demo.run() }
    }
}
