import Testing

@testable import Gateway

@Suite struct ByteRangeTests {
    @Test(
        arguments: [
            (nil, .whole), ("bytes=0-99", .part(0...99)), ("bytes=10-", .part(10...999)),
            ("bytes=-10", .part(990...999)),
            ("bytes=990-2000", .part(990...999)), ("bytes=999-", .part(999...999)), ("bytes=-5000", .part(0...999)),
            ("bytes=1000-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("bytes=0-99999999999999999999", .part(0...999)), ("bytes=99999999999999999999-", .unsatisfiable),
            ("bytes=5-4", .whole), ("bytes=a-b", .whole), ("bytes=0-1,5-6", .whole), ("bytes=+1-2", .whole),
            ("bytes=", .whole), ("bytes=-", .whole), ("seconds=0-1", .whole), ("bytes=1-2-3", .whole),
        ] as [(String?, ByteRange)])
    func partOfAFile(_ field: String?, _ range: ByteRange) {
        #expect(ByteRange(field, size: 1000) == range)
    }

    @Test func nothingOfAnEmptyFileCanBeHad() {
        #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange(nil, size: 0) == .whole)
    }
}
