import Testing

@testable import Vision
@testable import framemesh

@Suite struct FilePullTests {
    private static let file = ModelFile(
        name: "a.onnx", bytes: 1000, sha256: "abc", url: "https://example.org/a.onnx", path: nil)

    @Test func aWholeFileIsAskedForTakenAndVerified() {
        var pull = FilePull(Self.file)
        #expect(pull.start(part: nil) == .request(from: 0, after: .zero))
        #expect(pull.answered(status: 200, rangeStart: nil) == .receive(startOver: false))
        #expect(pull.took(600) == .goOn)
        #expect(pull.took(400) == .goOn)
        #expect(pull.ended(nil) == .verify)
        #expect(pull.verified(sha256: "abc") == .keep)
    }

    @Test func aPartIsContinued() {
        var pull = FilePull(Self.file)
        #expect(pull.start(part: 300) == .request(from: 300, after: .zero))
        #expect(pull.answered(status: 206, rangeStart: 300) == .receive(startOver: false))
        #expect(pull.took(700) == .goOn)
        #expect(pull.ended(nil) == .verify)
    }

    @Test func aServerWithoutRangesStartsOver() {
        var pull = FilePull(Self.file)
        _ = pull.start(part: 300)
        #expect(pull.answered(status: 200, rangeStart: nil) == .receive(startOver: true))
        #expect(pull.received == 0)
    }

    @Test func aPartThatIsWholeIsOnlyVerifiedAndOneThatIsTooLongIsDropped() {
        var whole = FilePull(Self.file)
        #expect(whole.start(part: 1000) == .verify)
        var long = FilePull(Self.file)
        #expect(long.start(part: 1001) == .request(from: 0, after: .zero))
    }

    @Test func aLostConnectionIsContinuedWithLongerWaitsAndNotForEver() {
        var pull = FilePull(Self.file)
        _ = pull.start(part: nil)
        var waits: [Duration] = []
        for request in 1..<FilePull.maxRequests {
            _ = pull.answered(status: request == 1 ? 200 : 206, rangeStart: pull.received)
            #expect(pull.took(100) == .goOn)
            guard case .request(let from, let wait) = pull.ended(Download.Failure("connection lost")) else {
                Issue.record("gave up after \(request)")
                return
            }
            #expect(from == UInt64(request) * 100)
            waits.append(wait)
        }
        #expect(waits == waits.sorted() && Set(waits).count == waits.count)
        guard case .giveUp(let reason) = pull.ended(Download.Failure("connection lost")) else {
            Issue.record("never gives up")
            return
        }
        #expect(reason.contains("connection lost"))
    }

    @Test func aCertificateThatIsNotTrustedIsNotAskedAgain() {
        var pull = FilePull(Self.file)
        _ = pull.start(part: nil)
        let failure = Download.Failure("TLS: the peer's certificate is for another name", isFinal: true)
        #expect(pull.ended(failure) == .giveUp(failure.reason))
    }

    @Test func aBusyServerIsAskedAgainAndAMissingFileIsNot() {
        var busy = FilePull(Self.file)
        _ = busy.start(part: nil)
        #expect(busy.answered(status: 503, rangeStart: nil) == .request(from: 0, after: FilePull.firstWait))
        var missing = FilePull(Self.file)
        _ = missing.start(part: nil)
        #expect(missing.answered(status: 404, rangeStart: nil) == .giveUp("the server answered 404"))
    }

    @Test func moreBytesThanExpectedAreRefused() {
        var pull = FilePull(Self.file)
        _ = pull.start(part: nil)
        _ = pull.answered(status: 200, rangeStart: nil)
        guard case .refuse(let reason) = pull.took(1001) else {
            Issue.record("took them")
            return
        }
        #expect(reason.contains("1000"))
    }

    @Test func aWrongRangeIsNotWritten() {
        var pull = FilePull(Self.file)
        _ = pull.start(part: 300)
        guard case .giveUp = pull.answered(status: 206, rangeStart: 200) else {
            Issue.record("took it")
            return
        }
    }

    @Test func aWrongDigestIsRefusedAndBothAreNamed() {
        guard case .refuse(let reason) = FilePull(Self.file).verified(sha256: "def") else {
            Issue.record("kept")
            return
        }
        #expect(reason.contains("abc") && reason.contains("def") && reason.contains("sha256"))
    }

    @Test(arguments: [
        ("../a", "https://x/a", 1), (".a", "https://x/a", 1), ("a/b", "https://x/a", 1), ("a", "file:///etc/passwd", 1),
        ("a", "ftp://x/a", 1), ("a", "https://x/a", 0), ("", "https://x/a", 1),
    ])
    func namesAndURLsThatLeadElsewhereAreRefused(_ name: String, _ url: String, _ bytes: Int) {
        #expect(ModelFile(name: name, bytes: bytes, sha256: "", url: url, path: nil).pullObjection != nil)
    }

    @Test func aPlainNameOverHTTPIsTaken() {
        #expect(Self.file.pullObjection == nil)
    }
}
