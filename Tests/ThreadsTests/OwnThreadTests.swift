import Glibc
import Testing
import Threads

@Suite struct OwnThreadTests {
    @Test func itRunsItsBodyWithoutSignalsOfBrokenPipes() async throws {
        typealias Answer = CheckedContinuation<Bool, any Error>
        let isBlocked = try await withCheckedThrowingContinuation { (continuation: Answer) in
            do {
                try OwnThread.start("test") {
                    var signals = sigset_t()
                    unsafe pthread_sigmask(SIG_BLOCK, nil, &signals)
                    continuation.resume(returning: unsafe sigismember(&signals, SIGPIPE) == 1)
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        #expect(isBlocked)
    }

    /// More stack than there are addresses.
    @Test func thatThereIsNoneIsAnError() {
        let error = #expect(throws: ThreadError.self) { try OwnThread.start("test", stackBytes: 1 << 60) {} }
        #expect(error?.description == "cannot start the thread 'test': Resource temporarily unavailable")
    }
}
