import NIOCore
import Testing

@testable import RPC

@Suite struct TimeoutTests {
    private func parse(_ text: String) -> Duration? { Timeout.parse(text.utf8.span) }

    @Test(arguments: [
        ("1H", 3600), ("2M", 120), ("3S", 3), ("99999999S", 99_999_999), ("99999999H", 99_999_999 * 3600),
        ("00000001S", 1), ("0S", 0),
    ])
    func wholeSecondsAreRead(_ text: String, _ seconds: Int) {
        #expect(parse(text) == .seconds(seconds))
    }

    @Test func smallUnitsAreRead() {
        #expect(parse("7m") == .milliseconds(7))
        #expect(parse("7u") == .microseconds(7))
        #expect(parse("7n") == .nanoseconds(7))
    }

    @Test(arguments: [
        "", "1", "S", "1X", "1s", "-1S", "+1S", "1.5S", " 1S", "1S ", "123456789S", "1SS", "٣S", "1ä", "\u{1F600}S",
    ])
    func othersAreRefused(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.nanoseconds(1), "1n"), (.nanoseconds(99_999_999), "99999999n"), (.milliseconds(100), "100000u"),
        (.nanoseconds(100_000_001), "100001u"), (.seconds(1), "1000000u"), (.seconds(100), "100000m"),
        (.seconds(99_999), "99999000m"), (.seconds(100_000), "100000S"), (.seconds(99_999_999), "1666667M"),
        (.seconds(200_000_000), "3333334M"), (.seconds(Int64.max), "99999999H"), (.zero, "1n"), (.seconds(-1), "1n"),
        (Duration(secondsComponent: 0, attosecondsComponent: 1), "1n"),
    ])
    func theFinestUnitThatFitsIsWritten(_ duration: Duration, _ text: String) {
        #expect(Timeout.encode(duration) == text)
    }

    @Test func whatIsWrittenIsReadAsTheSameOrALittleMore() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let exponent = Double.random(in: 0..<19, using: &random)
            let duration = Duration.nanoseconds(1) * pow10(exponent)
            let text = Timeout.encode(duration)
            let back = try #require(parse(text), "\(duration) became \(text)")
            #expect(back >= duration)
            #expect(
                back <= duration * 1.000_02 + .seconds(duration > .seconds(90_000_000) ? 3600 : 0) + .nanoseconds(1))
        }
    }

    private func pow10(_ exponent: Double) -> Int {
        var value = 1.0
        for _ in 0..<Int(exponent) { value *= 10 }
        return Int(value * (1 + exponent - exponent.rounded(.down)))
    }
}

@Suite struct DeadlineTests {
    private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

    @Test func aDeadlineIsAfterItsStart() {
        #expect(Deadline.after(.milliseconds(1500), from: start).instant == start + .milliseconds(1500))
    }

    @Test func theFarFutureDoesNotOverflow() {
        #expect(Deadline.after(.seconds(Int64.max), from: start).instant == .distantFuture)
        #expect(Deadline.after(.nanoseconds(Int64.max), from: start).instant == .distantFuture)
        #expect(Deadline.after(.seconds(Int64.max)).remaining > .seconds(1 << 30))
    }

    @Test func aNegativeWaitHasPassed() {
        #expect(Deadline.after(.seconds(-5), from: start).instant == start)
        let passed = Deadline.after(.nanoseconds(-1))
        #expect(passed.hasPassed)
        #expect(passed.remaining == .zero)
        #expect(!Deadline.after(.seconds(3600)).hasPassed)
    }

    @Test func theEarlierIsSmaller() {
        #expect(Deadline.after(.seconds(1), from: start) < Deadline.after(.seconds(2), from: start))
    }
}
