import Foundation
import HTTP2
import NIOCore
import Testing

@testable import RPC

#if FUZZING
    /// libFuzzer's driver: does not return, ends the process with 0 when the time is over.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runFuzzer(
        _ count: UnsafeMutablePointer<Int32>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
        _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32
#endif

@Suite(.serialized, .timeLimit(.minutes(60))) struct FuzzTests {
    @Test(arguments: FuzzTarget.allCases)
    func whatOnceWentWrongDoesNotAgain(_ target: FuzzTarget) {
        for input in target.inputs("cases") { target.run(input.bytes) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func theSeedsAreTaken(_ target: FuzzTarget) {
        let seeds = target.inputs("seeds")
        #expect(!seeds.isEmpty)
        for input in seeds { target.run(input.bytes) }
    }

    /// Else reading to the place of a message would hardly be tried.
    @Test func theLargeSeedsEndInsideAMessageWithAPlace() throws {
        func seed(_ target: FuzzTarget) throws -> ByteBuffer {
            ByteBuffer(bytes: try #require(target.inputs("seeds").first { $0.name == "large" }).bytes)
        }
        let server = try InMemoryServer()
        _ = server.take(try seed(.server))
        #expect(server.connection.http2?.room(atLeast: 200_000) != nil)
        server.end()
        let client = try InMemoryClient.greeted()
        let calls = InMemoryClient.requests.compactMap { client.call($0) }
        client.take(try seed(.client))
        #expect(client.connection.http2?.room(atLeast: 200_000) != nil)
        client.end()
        #expect(calls.allSatisfy { $0.call.hasEnded })
    }

    /// `WRITE_FUZZ_SEEDS=1` makes the seeds anew from recorded exchanges and messages.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["WRITE_FUZZ_SEEDS"] != nil))
    func seedsAreWritten() throws { try Seeds.write() }

    #if FUZZING
        /// `make fuzz`: one target, named by `FUZZ_TARGET`, for `FUZZ_SECONDS`.
        @Test(.enabled(if: ProcessInfo.processInfo.environment["FUZZ_TARGET"] != nil))
        func fuzz() throws {
            let environment = ProcessInfo.processInfo.environment
            let target = try #require(environment["FUZZ_TARGET"].flatMap(FuzzTarget.init))
            unsafe Self.current = target
            let seconds = environment["FUZZ_SECONDS"] ?? "20"
            let found = FileManager.default.temporaryDirectory.appending(path: "fuzz-\(target.rawValue)")
            let cases = FuzzTarget.folder.appending(path: "cases/\(target.rawValue)")
            for folder in [found, cases] {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            let words = [
                "fuzz", "-max_total_time=\(seconds)", "-timeout=10", "-rss_limit_mb=2048", "-max_len=4096",
                "-print_final_stats=1", "-artifact_prefix=\(cases.path)/",
                found.path, "\(FuzzTarget.folder.path)/seeds/\(target.rawValue)",
            ]
            var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
            var count = Int32(words.count)
            unsafe arguments.withUnsafeMutableBufferPointer { buffer in
                var start = unsafe buffer.baseAddress
                _ = unsafe runFuzzer(&count, &start) { bytes, length in
                    unsafe FuzzTests.current.run([UInt8](UnsafeBufferPointer(start: bytes, count: length)))
                    return 0
                }
            }
        }

        nonisolated(unsafe) private static var current = FuzzTarget.deframer
    #endif
}
