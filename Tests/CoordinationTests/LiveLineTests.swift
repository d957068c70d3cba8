import Synchronization
import Testing

@testable import Coordination

@Suite(.timeLimit(.minutes(5))) struct LiveLineTests {
    typealias Room = LiveLine.Room

    @Test func asManyGoAsNodesRunAndOfManyAQuarterMore() {
        func most(_ capacity: Int) -> Int? {
            (0...100).first { !LiveLine.mayGo(Room(capacity: capacity, load: $0), gone: $0) }
        }
        #expect([1, 2, 3, 4, 16].map(most) == [1, 2, 3, 5, 20])
    }

    @Test func othersLeaveStreamsHalfOfTheNodes() {
        let full = Room(capacity: 8, load: 100)
        #expect(LiveLine.mayGo(full, gone: 3) && !LiveLine.mayGo(full, gone: 4))
        #expect(LiveLine.mayGo(Room(capacity: 1, load: 9), gone: 0))
    }

    @Test func whereThereIsNoNodeAllGoAndWaitForOne() { #expect(LiveLine.mayGo(nil, gone: 100)) }

    /// A node that runs one frame: its load is that of the frames that went.
    private final class Node: Sendable {
        let load = Mutex(0)
        let order = Mutex<[Int]>([])

        var room: Room { Room(capacity: 1, load: load.withLock { $0 }) }
    }

    @Test func theyGoInTheirTurn() async {
        let node = Node()
        let line = LiveLine { node.room }
        func go(_ number: Int) async {
            guard await line.turn() else { return }
            node.load.withLock { $0 += 1 }
            node.order.withLock { $0.append(number) }
        }
        await go(0)
        await withTaskGroup { tasks in
            for number in 1...3 {
                tasks.addTask { await go(number) }
                // So that it stands there before the next one.
                try? await Task.sleep(for: .milliseconds(50))
            }
            #expect(node.order.withLock { $0 } == [0], "a second one would grow old behind it")
            for answered in 1...3 {
                node.load.withLock { $0 -= 1 }
                line.back()
                while node.order.withLock({ $0.count }) < 1 + answered { await Task.yield() }
            }
        }
        #expect(node.order.withLock { $0 } == [0, 1, 2, 3])
    }

    /// What others have sent is done: nobody of the line tells.
    @Test func whoeverWaitsLooksForRoom() async {
        let node = Node()
        node.load.withLock { $0 = 9 }
        let line = LiveLine { node.room }
        #expect(await line.turn(), "half of the nodes is theirs")
        async let second = line.turn()
        try? await Task.sleep(for: .milliseconds(50))
        node.load.withLock { $0 = 0 }
        #expect(await second)
    }

    @Test func whoIsCancelledLeavesTheLine() async {
        let node = Node()
        node.load.withLock { $0 = 9 }
        let line = LiveLine { node.room }
        #expect(await line.turn())
        let waiting = Task { await line.turn() }
        try? await Task.sleep(for: .milliseconds(30))
        waiting.cancel()
        #expect(await !waiting.value)
        let late = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return await line.turn()
        }
        #expect(await !late.value)
        // Nobody stands before the next one.
        node.load.withLock { $0 = 0 }
        line.back()
        #expect(await line.turn())
    }
}
