import ArgumentParser

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List, check and pull models.",
        discussion: """
            Models come with the program, lie in the folders of $FRAMEMESH_MODELS (several with :), or are pulled into \
            ~/.local/share/framemesh/models ($XDG_DATA_HOME is honoured).

            Examples:
              framemesh models list
              framemesh models check
              framemesh models pull yolo-fastest-1.1 FastestDet
            """,
        subcommands: [ModelsListCommand.self, ModelsCheckCommand.self, ModelsPullCommand.self])
}
