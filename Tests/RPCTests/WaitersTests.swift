import NIOCore
import Synchronization
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(3))) struct WaitersTests {
    private let waiters = Waiters<Int>()

    private func waiting(_ count: Int) async -> [Task<Result<Int, RPCError>, Never>] {
        let asked = (0..<count).map { _ in Signal() }
        let tasks = asked.map { asked in
            Task {
                do {
                    return Result<Int, RPCError>.success(
                        try await waiters.wait("cancelled here") {
                            asked.fire()
                            return nil
                        })
                } catch { return .failure(RPCError(of: error)) }
            }
        }
        for asked in asked { await asked.wait() }
        return tasks
    }

    @Test func allThatWaitAreResumedOnce() async throws {
        let tasks = await waiting(10)
        waiters.resume(with: .success(7))
        waiters.resume(with: .success(8))
        for task in tasks { #expect(try await task.value.get() == 7) }
        #expect(waiters.isEmpty)
    }

    @Test func whatIsKnownIsNotWaitedFor() async throws {
        #expect(try await waiters.wait("") { .success(1) } == 1)
        let error = await failure { _ = try await waiters.wait("") { .failure(RPCError(.notFound, "gone")) } }
        #expect(error?.message == "gone")
        #expect(waiters.isEmpty)
    }

    @Test func aCancelledTaskLeavesTheOthers() async throws {
        let tasks = await waiting(2)
        tasks[0].cancel()
        let error = await failure { _ = try await tasks[0].value.get() }
        #expect(error?.code == .cancelled)
        #expect(error?.message == "cancelled here")
        waiters.resume(with: .success(7))
        #expect(try await tasks[1].value.get() == 7)
    }

    @Test func aTaskThatIsCancelledAlreadyDoesNotWait() async {
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await failure { _ = try await waiters.wait("cancelled here") { nil } }
        }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
    }

    @Test(arguments: [-1, 10])
    func aDeadlineEndsTheWait(_ milliseconds: Int64) async {
        let limit = Waiters<Int>.Limit(
            Deadline(instant: .now() + .milliseconds(milliseconds)), on: Loopback.group.any()
        ) { RPCError(.deadlineExceeded, "late") }
        let error = await failure { _ = try await waiters.wait("", until: limit) { nil } }
        #expect(error?.message == "late")
        #expect(waiters.isEmpty)
    }

    @Test func anEndIsToldOnceToEach() {
        let ending = Ending<Int>()
        let told = Mutex<[Int]>([])
        ending.tell { value in told.withLock { $0.append(value) } }
        #expect(ending.value == nil)
        ending.happened(1)
        ending.happened(2)
        ending.tell { value in told.withLock { $0.append(value * 10) } }
        #expect(told.withLock { $0 } == [1, 10])
        #expect(ending.value == 1)
    }
}
