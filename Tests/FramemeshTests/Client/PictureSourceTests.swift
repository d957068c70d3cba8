import Foundation
import NIOCore
import Testing

@testable import framemesh

@Suite struct PictureSourceTests {
    private static func with(_ files: [String], _ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "framemesh-sources-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for file in files {
            let url = folder.appending(path: file)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.utf8).write(to: url)
        }
        try await body(folder.path)
    }

    @Test func directoriesAreSortedByPathAndFilesStayInTheirOrder() async throws {
        try await Self.with(["z.jpg", "a.PNG", "notes.txt", ".hidden.jpg", "sub/b.jpeg", "sub/.c.jpg", "noextension"]) {
            folder in
            let found = try PictureSource.discover(["\(folder)/notes.txt", folder + "/", "-", "not/there.jpg"])
            #expect(
                found.map(\.name) == [
                    "\(folder)/notes.txt", "\(folder)/a.PNG", "\(folder)/sub/b.jpeg", "\(folder)/z.jpg", "-",
                    "not/there.jpg",
                ])
            let raw = try PictureSource.discover([folder], anyExtension: true)
            #expect(raw.count == 5)
        }
    }

    @Test func aDirectoryWithoutPicturesIsNamed() async throws {
        try await Self.with(["readme.md"]) { folder in
            let error = #expect(throws: Fatal.self) { try PictureSource.discover([folder]) }
            #expect(error?.description.contains(folder) == true)
        }
    }

    @Test func standardInputIsReadOnce() {
        #expect(throws: Fatal.self) { try PictureSource.discover(["-", "a.jpg", "-"]) }
    }

    @Test func filesAreReadWhole() async throws {
        try await Self.with(["a.jpg"]) { folder in
            let bytes = try await PictureFile.read(.file("\(folder)/a.jpg"))
            #expect(String(buffer: bytes) == "a.jpg")
            try Data().write(to: URL(fileURLWithPath: "\(folder)/empty.jpg"))
            try Data("OggS\0and so on".utf8).write(to: URL(fileURLWithPath: "\(folder)/film.jpg"))
            #expect(try await PictureFile.read(.file("\(folder)/film.jpg")).readableBytes == 14)
            let film = await #expect(throws: Fatal.self) {
                try await PictureFile.read(.file("\(folder)/film.jpg"), isEncoded: true)
            }
            #expect(film?.message?.hasPrefix("is a video: `framemesh video`") == true)
            let empty = await #expect(throws: Fatal.self) { try await PictureFile.read(.file("\(folder)/empty.jpg")) }
            #expect(empty?.description.contains("empty") == true)
            await #expect(throws: Fatal.self) { try await PictureFile.read(.file("\(folder)/none.jpg")) }
            await #expect(throws: Fatal.self) { try await PictureFile.read(.file(folder)) }
        }
    }

    @Test func aFileBeyondTheLimitIsRefusedBeforeItIsRead() async throws {
        try await Self.with(["big.jpg"]) { folder in
            let handle = try #require(FileHandle(forWritingAtPath: "\(folder)/big.jpg"))
            try handle.truncate(atOffset: UInt64(PictureFile.maxBytes) + 1)
            try handle.close()
            let error = await #expect(throws: Fatal.self) { try await PictureFile.read(.file("\(folder)/big.jpg")) }
            #expect(error?.description.contains("\(PictureFile.maxBytes + 1)") == true)
        }
    }

    @Test func annotatedPicturesNeverOverwriteEachOther() {
        var names = OutputNames()
        let given = ["x/a.jpg", "y/a.png", "a-2.jpg", "b.tar.gz", "-", ".jpg", "z/a.webp"]
        let made = given.map { names.next(for: $0 == "-" ? .standardInput : .file($0)) }
        #expect(Set(made).count == given.count)
        #expect(made[0] == "a.jpg" && made[1] == "a-2.jpg" && made[3] == "b.tar.jpg" && made[4] == "stdin.jpg")
    }
}
