import Foundation
import Testing

@testable import framemesh

/// Whatever was to be done with a file: the user reads which it is, and the system's words.
@Suite struct FileTroubleTests {
    private func expect(_ message: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("it was done: \(message)")
        } catch {
            #expect((error as? Fatal)?.message == message)
        }
    }

    @Test func aFolderThatIsNotThere() {
        let part = PartFile(place: "/nowhere/a")
        let missing = "no such file or directory"
        expect("cannot read the directory /nowhere: \(missing)") { _ = try Dataset(at: "/nowhere", annotations: nil) }
        expect("cannot write /nowhere/a: \(missing)") { try Dataset.write(Data(), to: "/nowhere/a") }
        expect("cannot read /nowhere/a: \(missing)") { _ = try StoredFile(path: "/nowhere/a").sha256() }
        expect("cannot write /nowhere/a.part: \(missing)") { _ = try part.open(at: 0) }
        expect("cannot move /nowhere/a.part to /nowhere/a: \(missing)") { try part.keep() }
    }

    @Test func aFileWhereAFolderShouldBe() {
        expect("cannot make the folder /etc/passwd/a: not a directory") {
            _ = try PictureAnnotator(folder: "/etc/passwd/a")
        }
        expect("cannot read /etc: is a directory") { _ = try Dataset.read("/etc") }
    }
}
