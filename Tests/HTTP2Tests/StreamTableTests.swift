import Testing

@testable import HTTP2

@Suite struct StreamTableTests {
    @Test func itDoesWhatADictionaryDoes() {
        var table = StreamTable<Int>()
        var dictionary: [Int32: Int] = [:]
        var random = SystemRandomNumberGenerator()
        for round in 0..<20_000 {
            let id = Int32.random(in: 1...300, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                table[id] = round
                dictionary[id] = round
            case 2, 3: #expect(table.remove(id) == dictionary.removeValue(forKey: id))
            default: #expect(table[id] == dictionary[id])
            }
            #expect(table.count == dictionary.count)
        }
        for id in Int32(1)...300 { #expect(table[id] == dictionary[id]) }
        var seen: [Int] = []
        table.forEach { seen.append($0) }
        #expect(seen.sorted() == dictionary.values.sorted())
    }

    @Test func oldAndNewStreamsShareIt() {
        var table = StreamTable<Int32>()
        table[1] = 1
        // The others come and go.
        for id in stride(from: Int32(3), to: 5000, by: 2) {
            table[id] = id
            if id > 40 { table[id - 32] = nil }
        }
        #expect(table[1] == 1)
        #expect(table[4999] == 4999)
        #expect(table.find(9) == nil)
        table.removeAll()
        #expect(table.isEmpty && table[1] == nil)
    }

    @Test func valuesChangeInTheirPlace() throws {
        var table = StreamTable<[Int]>()
        table[5] = [1]
        let place = try #require(table.find(5))
        table[at: place].append(2)
        #expect(table[5] == [1, 2])
        #expect(table.find(6) == nil)
    }
}
