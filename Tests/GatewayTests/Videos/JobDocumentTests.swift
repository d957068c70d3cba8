import Jobs
import Results
import Testing

@testable import Gateway

@Suite struct JobDocumentTests {
    private static func job() -> Job {
        Job(
            id: JobID(at: JobTime(milliseconds: 0)), owner: "ada", name: "a\"b",
            request: Job.Request(pipeline: "track", minConfidence: 0.25, annotate: true),
            video: Job.Video(width: 640, height: 480, frameRate: 25), framesTotal: 100,
            createdAt: JobTime(milliseconds: 1_800_000_000_007), expiresAt: JobTime(milliseconds: 1_800_086_400_000),
            storedBytes: 5)
    }

    @Test func aJobThatWaits() {
        let job = Self.job()
        #expect(
            JSONText.object { $0.fields(of: job) }
                == #"{"id":"\#(job.id)","name":"a\"b","state":"queued","pipeline":"track","min_confidence":0.25,"#
                + #""annotate":true,"created_at":"2027-01-15T08:00:00.007Z","expires_at":"2027-01-16T08:00:00.000Z","#
                + #""video":{"width":640,"height":480,"frame_rate":25,"duration":4},"progress":{"frames_done":0,"#
                + #""frames_total":100,"fraction":0,"rate":0,"dropped":0,"failed":0}}"#)
    }

    @Test func aJobThatRunsSaysHowLongItWillTake() {
        var job = Self.job()
        job.state = .running
        job.progress.framesDone = 75
        job.progress.rate = 12.5
        let text = JSONText.object { $0.fields(of: job) }
        #expect(text.contains(#""fraction":0.75,"rate":12.5,"eta_seconds":2,"#))
        job.state = .failed
        job.error = "two\nlines"
        let failed = JSONText.object { $0.fields(of: job, showingOwner: true) }
        #expect(failed.contains(#""state":"failed","error":"two; lines","owner":"ada""#))
        #expect(!failed.contains("eta_seconds"))
    }
}
