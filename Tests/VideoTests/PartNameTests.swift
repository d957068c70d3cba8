import Foundation
import Testing

@testable import Video

/// What is called so where the file system has no nameless files.
@Suite struct VideoPartNameTests {
    private static func path(_ file: String, chance: UInt64 = 0xAB) -> [UInt8] {
        PartName(chance: chance).path(beside: file).map { UInt8(truncatingIfNeeded: $0) }
    }

    @Test func itIsBesideTheFileAndNobodyElses() {
        #expect(Self.path("/x/a.mp4") == Array("/x/a.mp4.00000000000000ab.part\0".utf8))
        #expect(Self.path("a.mp4", chance: .max) == Array("a.mp4.ffffffffffffffff.part\0".utf8))
        #expect(PartName().chance != PartName().chance)
        // Names have at most 255 bytes, of which a letter may take two.
        let long = String(repeating: "a", count: 199) + "ä.mp4"
        let cut = Array("/x/\(long)".utf8.prefix(3 + 200)) + Array(".00000000000000ab.part\0".utf8)
        #expect(Self.path("/x/\(long)") == cut)
    }

    /// The helper may call its file by no other name, or what it leaves would stay.
    @Test func theHelperTakesTheNameThatItIsGiven() async throws {
        try await Files.withFolder { folder in
            let path = folder.path("a.mp4")
            _ = try folder.write("a.mp4.00000000000000ab.part", Data("there".utf8))
            let session = WritingSession(path, part: PartName(chance: 0xAB))
            session.start(
                helper: Files.helper, arguments: ["--width", "64", "--height", "48", "--frame-rate", "10"])
            let error = await #expect(throws: VideoError.self) {
                _ = try await session.reply()
                try await session.send(.frame(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 0))
                try await session.send(.end)
                _ = try await session.reply()
            }
            #expect(error?.message == "\(path): File exists")
            await session.waitForEnd()
            #expect(try folder.names == [])
        }
    }

    /// As one without nameless files would have.
    @Test func whatAKilledHelperLeavesIsRemoved() async throws {
        try await Files.withFolder { folder in
            let helper = try await folder.helper(
                "path=$2; while [ \"$1\" != --part ]; do shift; done; : > \"$path.$2.part\"; exec /bin/sleep 1000")
            let path = folder.path("a.mp4")
            let task = Task {
                _ = try await VideoWriter.create(path, width: 64, height: 48, frameRate: 10, helper: helper)
            }
            #expect(try await becomes { try folder.names.contains { $0.hasPrefix("a.mp4.") } })
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try !folder.names.contains { $0.hasPrefix("a.mp4") })
        }
    }
}
