import Results
import Testing

@testable import Gateway
@testable import Jobs

@Suite struct JobDocumentTests {
    private static func job() -> Job {
        Job(
            id: JobID(at: JobTime(milliseconds: 0)), owner: "ada", name: "a\"b",
            request: Job.Request(pipeline: "track", minConfidence: 0.25, annotate: true),
            video: Job.Video(width: 640, height: 480, frameRate: 25, duration: 20_500), framesTotal: 100,
            createdAt: JobTime(milliseconds: 1_800_000_000_007), expiresAt: JobTime(milliseconds: 1_800_086_400_000),
            storedBytes: 5)
    }

    @Test func aJobThatWaits() {
        let job = Self.job()
        #expect(
            JSONText.object { $0.fields(of: job) }
                == #"{"id":"\#(job.id)","name":"a\"b","state":"queued","pipeline":"track","min_confidence":0.25,"#
                + #""annotate":true,"created_at":"2027-01-15T08:00:00.007Z","stored_bytes":5,"#
                + #""video":{"width":640,"height":480,"frame_rate":25,"duration":20.5},"progress":{"frames_done":0,"#
                + #""frames_total":100,"fraction":0,"rate":0,"partial":0,"dropped":0,"failed":0}}"#)
    }

    @Test func aJobThatRunsSaysHowLongItWillTake() {
        var job = Self.job()
        job.state = .running
        job.progress.framesDone = 75
        job.progress.rate = 12.5
        let text = JSONText.object { $0.fields(of: job) }
        #expect(text.contains(#""fraction":0.75,"rate":12.5,"eta_seconds":2,"#))
        #expect(text.contains(#""state":"running","phase":"analysing","#))
        job.state = .failed
        job.error = "two\nlines"
        let failed = JSONText.object { $0.fields(of: job, showingOwner: true) }
        #expect(failed.contains(#""state":"failed","error":"two; lines","owner":"ada""#))
        #expect(failed.contains(#""expires_at":"2027-01-16T08:00:00.000Z""#))
        #expect(!failed.contains("failures"))
        #expect(!failed.contains("eta_seconds"))
    }

    @Test func aJobWhoseAnnotatedVideoIsDrawnSaysSo() throws {
        var job = Self.job()
        let now = JobTime(milliseconds: 0)
        guard case .granted(let lease) = job.claim(by: "a", now: now, for: .seconds(9)) else {
            Issue.record("it was not claimed")
            return
        }
        job.progress.rate = 12.5
        #expect(try job.reserve(100, beside: 5, within: 1000, lease) == 100)
        let text = JSONText.object { $0.fields(of: job) }
        #expect(text.contains(#""state":"running","phase":"annotating","#) && text.contains(#""rate":0,"#), "\(text)")
        try job.finish(lease, as: .done, storedBytes: 9, now: now, keep: .seconds(9))
        #expect(!JSONText.object { $0.fields(of: job) }.contains("phase"))
    }

    @Test func framesThatFailedSayWhy() {
        var job = Self.job()
        job.progress.causes.add("too \"late\"", frames: 2)
        job.progress.causes.add("no node", frames: 3)
        #expect(
            JSONText.object { $0.fields(of: job) }.hasSuffix(
                #","failures":[{"cause":"no node","frames":3},{"cause":"too \"late\"","frames":2}]}"#))
    }

    @Test func aFileThatIsDamagedSaysSo() {
        var job = Self.job()
        job.progress.damagedPackets = 3
        #expect(JSONText.object { $0.fields(of: job) }.hasSuffix(#""failed":0,"damaged_packets":3}}"#))
    }

    @Test func webhooksSayWhatBecameOfThem() {
        var webhook = JobWebhook(
            job: Self.job().id, number: 0, url: "https://ada:secret@example.org/hook", topics: "", isForEnd: true,
            dueAt: JobTime(milliseconds: 0))
        #expect(!JSONText.object { $0.webhooks([]) }.contains("webhooks"))
        (webhook.delivered, webhook.failed, webhook.dropped, webhook.cause) = (3, 1, 2, "answered 503")
        #expect(
            JSONText.object { $0.webhooks([webhook]) }
                == #"{"webhooks":[{"url":"https://example.org/hook","delivered":3,"failed":1,"dropped":2,"#
                + #""cause":"answered 503"}]}"#)
    }
}
