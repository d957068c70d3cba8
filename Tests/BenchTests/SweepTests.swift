import Testing

@testable import Bench

@Suite struct SweepTests {
    @Test(arguments: [
        ("4", [4]), ("1:4", [1, 2, 3, 4]), ("1:8:3", [1, 4, 7]), ("2:2", [2]), ("8:64:56", [8, 64]),
    ])
    func pointsAreThoseOfPerfAnalyzer(_ text: String, _ points: [Int]) throws {
        #expect(try Sweep<Int>(parsing: text, in: 1...100).points == points)
    }

    @Test func fractionsMeetTheirEnd() throws {
        let sweep = try Sweep<Double>(parsing: "0.1:0.5:0.1", in: 0.001...100)
        #expect(sweep.points.count == 5)
        #expect(abs((sweep.points.last ?? 0) - 0.5) < 1e-9)
    }

    @Test(arguments: [
        ("", "'' in '' is no number"), ("a", "'a' in 'a' is no number"), ("1:2:3:4", "START:END:STEP"),
        ("4:1", "ends below its start"), ("1:4:0", "is not above 0"), ("1:4:-1", "is not above 0"),
        ("0", "0 is not between 1 and 100"), ("1:101", "101 is not between 1 and 100"),
    ])
    func whatIsNoSweepIsSaid(_ text: String, _ words: String) {
        let error = #expect(throws: SweepError.self) {
            try Sweep<Int>(parsing: text, in: 1...100)
        }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: ["nan", "inf", "1:nan", "1:2:nan", "1:100:1e-9", "1:2:inf"])
    func numbersThatAreNoneDoNotPass(_ text: String) {
        #expect(throws: SweepError.self) {
            try Sweep<Double>(parsing: text, in: 0.001...1000)
        }
    }

    @Test func aSweepHasALimit() {
        #expect(throws: SweepError.self) {
            try Sweep<Int>(parsing: "1:1001", in: 1...100_000)
        }
    }
}
