import Bench
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import framemesh

@Suite(.timeLimit(.minutes(5))) struct GatewayTargetTests {
    /// Says why it has no answer, one question after the other.
    private final class Answers: Sendable {
        private let said: [String?]
        private let count = Mutex(0)

        init(_ said: [String?]) { self.said = said }

        var asked: Int { count.withLock { $0 } }

        func next() -> String? {
            let number = count.withLock { count in
                count += 1
                return count - 1
            }
            return number < said.count ? said[number] : nil
        }
    }

    @Test func whoDoesNotAnswerIsAskedAgainBeforeItIsGone() async {
        let gone = Answers(["closed", "reset", "refused", "never said"])
        let reason = await GatewayPresence(pause: .milliseconds(1)) { gone.next() }.silence()
        #expect(reason == "refused" && gone.asked == GatewayPresence.questions)
        let busy = Answers(["closed", nil])
        let none = await GatewayPresence(pause: .milliseconds(1)) { busy.next() }.silence()
        #expect(none == nil && busy.asked == 2)
    }

    /// A question that finds no room beside frames that are answered says nothing.
    @Test func whoAnswersFramesIsThere() async {
        let (answered, question) = AsyncStream<Never>.makeStream()
        let (asking, begun) = AsyncStream<Never>.makeStream()
        let presence = GatewayPresence(pause: .milliseconds(1)) {
            begun.finish()
            for await _ in answered {}
            return "closed"
        }
        #expect(!presence.hasAnswered)
        async let silence = presence.silence()
        for await _ in asking {}
        presence.sawAnswer()
        question.finish()
        let found = await silence
        #expect(found == nil && presence.hasAnswered)
    }

    @Test func whatFailedIsSaidInWords() async throws {
        let target = try GatewayTarget(
            #require(URL(string: "http://127.0.0.1:1")), ClientSecurity(), AnalyzeOptions(pipeline: "detect"),
            survivesLoss: true)
        let frame = try BenchInputs(making: #require(PictureSize("4x4")), isRaw: false).frame(0)
        let outcome = try await target.ask(frame, caller: 0)
        await target.close()
        #expect(outcome.ending == .failed(cause: "connection refused"))
    }

    @Test func aFileThatCannotBeReadIsSaidInWords() throws {
        let url = try #require(URL(string: "https://127.0.0.1:1"))
        for (security, words) in [
            (ClientSecurity(tokenFile: "/nowhere/token"), "no such file or directory"),
            (ClientSecurity(certificate: "/nowhere/a.crt", key: "/nowhere/a.key"), "the certificate cannot be loaded"),
        ] {
            let error = #expect(throws: Fatal.self) {
                try GatewayTarget(url, security, AnalyzeOptions(pipeline: "detect"), survivesLoss: false)
            }
            #expect(error?.message == "--gateway https://127.0.0.1:1: \(words)")
        }
    }

    /// Else one such frame would keep a run from ending: nothing more of it comes, or a byte now and then.
    @Test(.timeLimit(.minutes(5)), arguments: [nil, .milliseconds(100)] as [Duration?])
    func anAnswerThatIsNotWholeInTimeHasFailed(_ pause: Duration?) async throws {
        let outcome = try await HalfAnAnswer.with(pause: pause) { port in
            var options = AnalyzeOptions(pipeline: "detect")
            options.frameDeadline = 1
            let target = try GatewayTarget(
                #require(URL(string: "http://127.0.0.1:\(port)")), ClientSecurity(), options, survivesLoss: true)
            let outcome = try await target.ask(
                BenchInputs(making: #require(PictureSize("4x4")), isRaw: false).frame(0), caller: 0)
            await target.close()
            return outcome
        }
        #expect(outcome.ending == .failed(cause: "no answer in time"))
    }
}
