import Testing

@testable import RPC

@Suite struct WaitingLinesTests {
    typealias Lines = WaitingLines<Int>

    @Test func whoeverLeavesTheOthersKeepTheirOrder() {
        var lines = Lines()
        var line = Lines.Line()
        let places = (0..<5).map { lines.append($0, to: &line) }
        let left = [4, 2, 0].map { lines.remove(places[$0], from: &line) }
        #expect(left == [4, 2, 0])
        #expect(
            [lines.removeFirst(of: &line), lines.removeFirst(of: &line), lines.removeFirst(of: &line)] == [1, 3, nil])
        #expect(line.isEmpty && lines.count == 0)
    }

    @Test func aPlaceIsNobodyElsesLater() {
        var lines = Lines()
        var line = Lines.Line()
        let stays = lines.append(0, to: &line)
        let gone = lines.append(1, to: &line)
        #expect(lines.remove(gone, from: &line) == 1)
        _ = lines.append(2, to: &line)
        #expect(lines[gone] == nil)
        #expect(lines.remove(gone, from: &line) == nil)
        #expect(lines[stays] == 0)
    }

    /// Beside lists that search.
    @Test func twoLinesAreAsTwoListsWouldBe() {
        var random = SystemRandomNumberGenerator()
        var lines = Lines()
        var (one, other) = (Lines.Line(), Lines.Line())
        var (ones, others): ([(Int, Lines.Place)], [(Int, Lines.Place)]) = ([], [])
        for number in 0..<20_000 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1: ones.append((number, lines.append(number, to: &one)))
            case 2:
                #expect(lines.removeFirst(of: &other) == (others.isEmpty ? nil : others.removeFirst().0))
            case 3 where !ones.isEmpty:
                lines.moveFirst(of: &one, to: &other) { _ in }
                others.append(ones.removeFirst())
            case 4 where !ones.isEmpty:
                let (element, place) = ones.remove(at: Int.random(in: ones.indices, using: &random))
                #expect(lines.remove(place, from: &one) == element)
            default: break
            }
            #expect(lines.count == ones.count + others.count)
            #expect(lines.first(of: one) == ones.first?.0 && lines.first(of: other) == others.first?.0)
        }
    }
}
