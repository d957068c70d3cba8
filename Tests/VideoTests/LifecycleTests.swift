import Foundation
import NIOCore
import Testing
import Video

@Suite struct VideoLifecycleTests {
    @Test(.enabled(if: Files.announceVtest()))
    func aKilledChildIsSaidWithTheFramesThatCame() async throws {
        let reader = try await VideoReader.open(Files.vtest, helper: Files.helper)
        var count = 0
        while count < 3, try await reader.next() != nil { count += 1 }
        kill(try #require(reader.processID), SIGKILL)
        let error = await #expect(throws: VideoError.self) {
            while try await reader.next() != nil { count += 1 }
        }
        #expect(count < Files.vtestFrames)
        #expect(
            error?.message
                == "framemesh-video was killed by signal 9 while reading \(Files.vtest) after \(count) frames")
    }

    @Test(.enabled(if: Files.announceVtest()), arguments: [SIGTERM, SIGKILL])
    func whoeverEndsAHelperSaysNothingOfItsFile(_ signal: Int32) async throws {
        let reader = try await VideoReader.open(Files.vtest, helper: Files.helper)
        kill(try #require(reader.processID), signal)
        let error = await #expect(throws: VideoError.self) { while try await reader.next() != nil {} }
        #expect(error?.isOfHelper == true, "\(error?.message ?? "")")
    }

    @Test func aHelperThatCannotBeStartedSaysNothingOfTheFile() async throws {
        try await Files.withFolder { folder in
            let missing = folder.path("framemesh-video")
            let reading = await #expect(throws: VideoError.self) {
                _ = try await VideoReader.open(Files.vtest, helper: missing)
            }
            #expect(reading?.message == "cannot start \(missing): No such file or directory")
            #expect(reading?.isOfHelper == true)
            let writing = await #expect(throws: VideoError.self) {
                _ = try await VideoWriter.create(
                    folder.path("a.mp4"), width: 64, height: 48, frameRate: 10, helper: missing)
            }
            #expect(writing?.isOfHelper == true)
            let bad = try folder.write("bad.mp4", Data("no video".utf8))
            let file = await #expect(throws: VideoError.self) {
                _ = try await VideoReader.open(bad, helper: Files.helper)
            }
            #expect(file?.isOfHelper == false)
        }
    }

    /// The child is stopped by the full pipe: what it has written is bounded, however long the consumer waits.
    @Test(.enabled(if: Files.announceVtest()))
    func aSlowConsumerStopsTheChild() async throws {
        let reader = try await VideoReader.open(Files.vtest, helper: Files.helper)
        let written = try await Self.writtenAtMost(try #require(reader.processID))
        // Four that are read ahead, and the pipe.
        #expect(written <= 4 * (reader.info.frameByteCount + 24) + (1 << 20) + 4_096, "\(written) bytes")
        var count = 0
        while try await reader.next() != nil { count += 1 }
        #expect(count == Files.vtestFrames)
    }

    /// Of large frames fewer are read ahead.
    @Test func aSlowConsumerHoldsOneLargeFrame() async throws {
        try await Files.withFolder { folder in
            let path = try await folder.make(
                "a.avi", "-f lavfi -i color=size=8000x6000:rate=10 -frames:v 4 -c:v mjpeg -pix_fmt yuvj420p")
            let reader = try await VideoReader.open(path, helper: Files.helper)
            let written = try await Self.writtenAtMost(try #require(reader.processID))
            #expect(written >= reader.info.frameByteCount, "\(written) bytes")
            #expect(written <= reader.info.frameByteCount + 24 + (1 << 20) + 4_096, "\(written) bytes")
            var count = 0
            while try await reader.next() != nil { count += 1 }
            #expect(count == 4)
        }
    }

    /// What a process has written when it has neither written nor worked for a while.
    private static func writtenAtMost(_ pid: Int32) async throws -> Int {
        var last = -1
        var before: [Substring] = []
        var same = 0
        let isEnough = try await becomes {
            let text = try String(contentsOfFile: "/proc/\(pid)/io", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("wchar: ") }
            let now = Int(line?.dropFirst(7) ?? "") ?? -1
            let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            // Behind the name: its state, and from the twelfth on its processor time.
            let fields = stat.split(separator: ")").last.map { $0.split(separator: " ") } ?? []
            let state = fields.count > 12 ? [fields[0], fields[11], fields[12]] : []
            same = now == last && state == before ? same + 1 : 0
            (last, before) = (now, state)
            return same >= 30
        }
        #expect(isEnough)
        return last
    }

    @Test(.enabled(if: Files.announceVtest()))
    func cancellingAReadThatWaitsLeavesNoProcess() async throws {
        let reader = try await VideoReader.open(Files.vtest, helper: Files.helper)
        let pid = try #require(reader.processID)
        kill(pid, SIGSTOP)
        let task = Task { while try await reader.next() != nil {} }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!runs(pid))
        await #expect(throws: CancellationError.self) { try await reader.next() }
    }

    @Test(.enabled(if: Files.announceVtest()))
    func closingEndsTheChildAndSoDoesDroppingTheReader() async throws {
        let closed = try await VideoReader.open(Files.vtest, helper: Files.helper)
        let first = try #require(closed.processID)
        await closed.close()
        await closed.close()
        #expect(!runs(first))
        let error = await #expect(throws: VideoError.self) { try await closed.next() }
        #expect(error?.message == "the reader is closed")

        var dropped: VideoReader? = try await VideoReader.open(Files.vtest, helper: Files.helper)
        let second = try #require(dropped?.processID)
        dropped = nil
        #expect(try await becomes { !runs(second) })
    }

    /// The child of a parent that is killed, while somebody still holds the other end of its pipe.
    @Test(.enabled(if: Files.announceVtest()))
    func theChildDiesWithItsParent() async throws {
        try await Files.withFolder { folder in
            let fifo = folder.path("fifo")
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let end = unsafe open(fifo, O_RDONLY | O_NONBLOCK)
            try #require(end >= 0)
            defer { _ = Foundation.close(end) }
            let parent = Process()
            parent.executableURL = URL(fileURLWithPath: "/bin/bash")
            parent.arguments = [
                "-c", "\"$0\" read \"$1\" > \"$2\" & echo $! > \"$3\"; wait", Files.helper, Files.vtest, fifo,
                folder.path("pid"),
            ]
            try parent.run()
            var pid: Int32 = 0
            #expect(
                try await becomes {
                    let text = (try? String(contentsOfFile: folder.path("pid"), encoding: .utf8)) ?? ""
                    pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
                    return pid > 0
                })
            // It has sent something, so it has asked to die with its parent.
            var byte: UInt8 = 0
            #expect(try await becomes { unsafe read(end, &byte, 1) == 1 })
            #expect(runs(pid))
            kill(parent.processIdentifier, SIGKILL)
            #expect(try await becomes { !runs(pid) })
        }
    }
}
