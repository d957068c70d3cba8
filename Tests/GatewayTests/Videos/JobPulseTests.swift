import Client
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What a job says while nothing comes of it.
@Suite struct JobPulseTests {
    @Test func aJobWithoutResultsSaysWhatItWaitsFor() {
        let start = ContinuousClock.now
        let pulse = JobPulse(.seconds(5), now: start)
        #expect(pulse.waitingFor(now: start + .seconds(100)) == "", "nothing was asked yet")
        pulse.begin(now: start)
        #expect(pulse.waitingFor(now: start + .seconds(4)) == "")
        #expect(pulse.stallsAt(now: start + .seconds(4)) == start + .seconds(5))
        #expect(pulse.stallsAt(now: start + .seconds(5)) == nil, "it is to be said now")
        #expect(pulse.waitingFor(now: start + .seconds(5)) == "an answer of the mesh")
        pulse.heard(now: start + .seconds(6))
        #expect(pulse.waitingFor(now: start + .seconds(10)) == "")
        pulse.lost()
        #expect(pulse.waitingFor(now: start + .seconds(10)) == "a coordinator")
        pulse.heard(now: start + .seconds(11))
        #expect(pulse.waitingFor(now: start + .seconds(12)) == "")
        pulse.end()
        #expect(pulse.waitingFor(now: start + .seconds(100)) == "")
    }

    @Test func whatIsSaidOnceIsSaidAgainWhereItIsSomethingElse() {
        let start = ContinuousClock.now
        let pulse = JobPulse(.seconds(5), now: start)
        pulse.begin(now: start)
        #expect(!pulse.hasNews(now: start + .seconds(4)))
        #expect(pulse.hasNews(now: start + .seconds(5)))
        #expect(pulse.say(now: start + .seconds(5)) == "an answer of the mesh")
        #expect(!pulse.hasNews(now: start + .seconds(50)))
        pulse.lost()
        #expect(pulse.hasNews(now: start + .seconds(51)))
        #expect(pulse.say(now: start + .seconds(51)) == "a coordinator")
        #expect(!pulse.hasNews(now: start + .seconds(52)))
        pulse.heard(now: start + .seconds(60))
        #expect(!pulse.hasNews(now: start + .seconds(64)) && pulse.hasNews(now: start + .seconds(65)))
        pulse.end()
        #expect(!pulse.hasNews(now: start + .seconds(100)))
    }

    @Test func howLongItIsSilentIsALimit() {
        var limits = VideoJobLimits()
        limits.stallTime = .seconds(3)
        let start = ContinuousClock.now
        let pulse = JobPulse(limits.stallTime, now: start)
        pulse.begin(now: start)
        #expect(pulse.waitingFor(now: start + .milliseconds(2999)) == "")
        #expect(pulse.waitingFor(now: start + .seconds(3)) == "an answer of the mesh")
    }

    @Test func aJobThatRunsWithoutAMeshHasNoRateAndSaysWhatItWaitsFor() async throws {
        try await BundledMesh.passing { mesh, end in
            try await TestGateway.with(
                mesh: mesh,
                configure: {
                    // It is said although the lease need not be renewed for long.
                    $0.limits.videos.lease = .seconds(1800)
                    $0.limits.videos.stallTime = .milliseconds(200)
                    // Then it looks for another coordinator, and is not given back, for as long as this machine may take.
                    $0.calling.resumeTimeout = .seconds(600)
                }
            ) { gateway in
                let id = try await gateway.uploadVideo(try await TestVideo.long(in: gateway.data)).id
                _ = try await gateway.job(id) { ($0[path: "progress.frames_done"] ?? 0) >= 3 }
                end()
                // On a slow machine its first frames may be late, too: then it waits for their answers for a moment.
                let job = try await gateway.job(id) { $0["waiting_for"] as? String == "a coordinator" }
                #expect(job["state"] as? String == "running", "\(job)")
                let progress = try #require(job["progress"] as? [String: Any])
                #expect(job[path: "progress.rate"] == 0 && progress["eta_seconds"] == nil, "\(job)")
                #expect(job["expires_at"] == nil)
            }
        }
    }

    @Test func aJobOfAGatewayThatFindsNoMeshWaitsForIt() async throws {
        let data = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        func configure(_ configuration: inout GatewayConfiguration) {
            configuration.data = data.path
            configuration.limits.videos.batchFrames = 1
            configuration.limits.videos.retryPause = .milliseconds(10)
        }
        let id = try await TestGateway.with(mesh: .shared, configure: configure) { gateway in
            let id = try await gateway.uploadVideo(try await TestVideo.long(in: data)).id
            _ = try await gateway.job(id) { ($0[path: "progress.frames_done"] ?? 0) >= 3 }
            return id
        }
        try await TestGateway.with(configure: configure) { gateway in
            let job = try await gateway.job(id) { $0["waiting_for"] != nil }
            #expect(job["waiting_for"] as? String == "a coordinator" && job[path: "progress.rate"] == 0, "\(job)")
        }
        // However often it was looked for.
        try await TestGateway.with(mesh: .shared, configure: configure) { gateway in
            let done = try await gateway.finishedJob(id)
            #expect(done.state == "done" && done["waiting_for"] == nil, "\(done)")
        }
    }
}
