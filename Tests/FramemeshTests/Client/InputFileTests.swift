import Foundation
import Testing

@testable import framemesh

@Suite struct InputFileTests {
    @Test func whatIsReadIsNotWrittenOver() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "input-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let picture = folder.appending(path: "a.jpg").path
        try Data("a".utf8).write(to: URL(fileURLWithPath: picture))
        let link = folder.appending(path: "b.jpg").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: picture)
        for written in [picture, link, folder.appending(path: "../\(folder.lastPathComponent)/a.jpg").path] {
            #expect {
                try InputFile.check(["/none", written], replaceNoneOf: [picture])
            } throws: { error in
                let fatal = error as? Fatal
                return fatal?.status == .usage && fatal?.message?.hasPrefix(written) == true
            }
        }
        try InputFile.check([folder.appending(path: "c.jpg").path], replaceNoneOf: [picture, "-", "/none"])
    }
}
