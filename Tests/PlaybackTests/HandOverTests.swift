import Synchronization
import Testing

@testable import Playback

@Suite(.timeLimit(.minutes(5))) struct HandOverTests {
    /// What `replace` came to, to be compared.
    private static func word(_ replacement: HandOver<Int>.Replacement) -> String {
        switch replacement {
        case .placed: "placed"
        case .instead(let older): "instead of \(older)"
        case .over: "over"
        }
    }

    @Test func theNewestTakesThePlaceOfTheOneThatWaits() async {
        let handOver = HandOver<Int>()
        #expect(Self.word(handOver.replace(1)) == "placed")
        #expect(Self.word(handOver.replace(2)) == "instead of 1")
        #expect(await handOver.take() == 2)
        async let next = handOver.take()
        #expect(Self.word(handOver.replace(3)) == "placed")
        #expect(await next == 3)
    }

    @Test func afterTheEndNothingIsReplaced() async {
        let handOver = HandOver<Int>()
        _ = handOver.replace(1)
        handOver.finish()
        #expect(Self.word(handOver.replace(2)) == "over")
        #expect(await handOver.place(3, places: 10) == .over)
        #expect(await handOver.take() == 1, "what waited is still taken")
        #expect(await handOver.take() == nil)
    }

    @Test func whoFindsNoPlaceIsToldAtOnceAndTheOthersWhenItIsTheirTurn() async {
        let handOver = HandOver<Int>()
        #expect(await handOver.place(0, places: 2) == .placed)
        await withTaskGroup(of: (HandOver<Int>.Placement, Int).self) { givers in
            for number in 1...5 { givers.addTask { (await handOver.place(number, places: 2), number) } }
            // Two wait: nothing is taken so far, so these are all that can be told.
            var refused: Set<Int> = []
            for _ in 0..<3 {
                guard let (placement, number) = await givers.next() else { break }
                #expect(placement == .noPlace)
                refused.insert(number)
            }
            var taken: Set<Int> = []
            for _ in 0..<3 { taken.insert(await handOver.take() ?? -1) }
            #expect(taken == Set(0...5).subtracting(refused))
            for await (placement, _) in givers { #expect(placement == .placed) }
        }
    }

    /// Numbers that are given before would change places with those of others.
    @Test func stampsRiseAsElementsAreTaken() async {
        let handOver = HandOver<Int>()
        let stamps = Stamps()
        await withTaskGroup(of: Void.self) { givers in
            for _ in 0..<500 {
                givers.addTask { _ = await handOver.place(0, places: 500) { $0 = stamps.next() } }
            }
            var taken: [Int] = []
            for _ in 0..<500 { taken.append(await handOver.take() ?? -1) }
            #expect(taken == Array(1...500))
        }
        await withTaskGroup(of: Void.self) { givers in
            for _ in 0..<500 {
                givers.addTask { _ = handOver.replace(0) { $0 = stamps.next() } }
            }
        }
        #expect(await handOver.take() == 1000, "the newest is what is left")
    }

    @Test func whoFindsNoPlaceHasNoNumber() async {
        let handOver = HandOver<Int>()
        var stamps = 0
        let first = await handOver.place(0, places: 0) { _ in stamps += 1 }
        let second = await handOver.place(0, places: 0) { _ in stamps += 1 }
        #expect(first == .placed && second == .noPlace)
        #expect(stamps == 1)
    }

    @Test func whoWaitsHearsOfTheEnd() async {
        let handOver = HandOver<Int>()
        _ = await handOver.place(0, places: 1)
        await withTaskGroup(of: HandOver<Int>.Placement.self) { givers in
            for number in 1...2 { givers.addTask { await handOver.place(number, places: 1) } }
            // One waits when the other one is told that it cannot.
            #expect(await givers.next() == .noPlace)
            handOver.discard()
            #expect(await givers.next() == .over)
        }
        #expect(await handOver.take() == nil)
    }
}

private final class Stamps: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
