import ArgumentParser
import Foundation
import RPC
import Testing

@testable import framemesh

@Suite struct CommandTests {
    @Test func everyCommandHasHelpWithAnExample() {
        for command in Framemesh.configuration.subcommands {
            let name = command.configuration.commandName ?? command._commandName
            let help = Framemesh.helpMessage(for: command)
            #expect(help.contains("framemesh \(name)"), "\(name)")
            #expect(command.configuration.abstract.hasSuffix("."), "\(name)")
        }
    }

    @Test func errorsOfModulesHaveTheirExitCodes() {
        #expect(Fatal(RPCError(.unavailable, "no node")).status == .unreachable)
        #expect(Fatal(RPCError(.internal, "lost", lostConnection: true)).status == .unreachable)
        #expect(Fatal(RPCError(.invalidArgument, "bad")).status == .failed)
        #expect(Fatal(Fatal("x", status: .usage)).status == .usage)
        #expect(Fatal(CancellationError()).status == .interrupted)
    }

    @Test func foldersOfModelsAreSplitAtColons() {
        #expect(Resources.modelFolders(["FRAMEMESH_MODELS": "/a:/b c:"]) == ["/a", "/b c"])
        #expect(Resources.modelFolders([:]) == [])
    }

    @Test func pulledModelsGoToTheUsersDataFolder() {
        #expect(Resources.pulledModels(["XDG_DATA_HOME": "/data", "HOME": "/h"]) == "/data/framemesh/models")
        #expect(Resources.pulledModels(["HOME": "/h"]) == "/h/.local/share/framemesh/models")
        #expect(Resources.pulledModels(["XDG_DATA_HOME": "data", "HOME": "/h"]) == "/h/.local/share/framemesh/models")
    }

    @Test func addressesToListenAtAreRead() throws {
        #expect(try ListenAddress(parsing: "[::1]:80").description == "[::1]:80")
        #expect(try ListenAddress(parsing: "localhost:0").address == .host("localhost", port: 0))
        #expect(try ListenAddress(parsing: "unix:/run/x").description == "unix:/run/x")
        for wrong in ["", "8500", "host:", "host:70000", ":1", "host:-1"] {
            #expect(throws: Fatal.self, "\(wrong)") { try ListenAddress(parsing: wrong) }
        }
    }
}
