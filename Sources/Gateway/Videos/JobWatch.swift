import Areas
import Foundation
import Hummingbird
import Jobs
import Messages
import NIOCore
import Results
import ServiceLifecycle

/// What one watcher of a job is told, as server-sent events: `frame` for each result, `area` for what happens in zones and
/// at lines, `progress`, and `end`.
///
/// All of it is read from the store, so it does not matter which gateway works on the job, and a watcher that is slow, or
/// comes late, misses nothing and costs nobody memory: the next page is read when the one before was sent.
struct JobWatch {
    let videos: VideoServices
    let id: JobID
    /// Frames before this one are known to the watcher.
    let first: Int64

    private struct State {
        var next: Int64
        /// As the job says; nil: not looked at yet.
        var areas: String?
        var watch = AreaWatch(AreaSet())
        var progress = ""
        /// There is more in the store than was read.
        var isBehind = false
        var quietSince = ContinuousClock.now
    }

    /// Returns at the end of the job, and when the gateway shuts down.
    func write(to writer: inout any ResponseBodyWriter) async throws {
        var state = State(next: first)
        // So that the watcher knows at once that it is connected.
        try await writer.write(ByteBuffer(string: ServerSentEvent.keepAlive))
        while true {
            let (text, isOver) = try await news(&state)
            if !text.isEmpty {
                try await writer.write(ByteBuffer(string: text))
                state.quietSince = .now
            } else if ContinuousClock.now - state.quietSince >= videos.limits.keepAlive {
                try await writer.write(ByteBuffer(string: ServerSentEvent.keepAlive))
                state.quietSince = .now
            }
            if isOver { return }
            if !state.isBehind {
                let slept = await cancelWhenGracefulShutdown {
                    (try? await Task.sleep(for: videos.limits.watchInterval)) != nil
                }
                if !slept { return }
            }
        }
    }

    private func news(_ state: inout State) async throws -> (text: String, isOver: Bool) {
        // The job first: when it is final, all of its results are there.
        guard let job = try await videos.store.job(id) else {
            return (ServerSentEvent("end", data: #"{"state":"removed"}"#).text, true)
        }
        var text = ""
        if job.request.areas != state.areas {
            text += try await areasChanged(job.request.areas, &state)
        }
        let page = try await videos.store.page(of: id, from: state.next)
        for response in page {
            text += frame(response, &state)
        }
        state.isBehind = page.count == JobStore.pageSize
        let progress = JSONText.object { $0.fields(of: job) }
        if progress != state.progress {
            state.progress = progress
            text += ServerSentEvent("progress", data: progress).text
        }
        guard job.state.isFinal, state.next >= job.progress.framesDone else { return (text, false) }
        for event in state.watch.end() {
            text += ServerSentEvent("area", data: String(decoding: event.json, as: UTF8.self)).text
        }
        return (text + ServerSentEvent("end", data: progress).text, true)
    }

    /// Areas come first: a connection that breaks in between tells them twice, not never.
    private func frame(_ response: AnalyzeResponse, _ state: inout State) -> String {
        state.next = Int64(response.sequence) + 1
        return events(response, &state)
            + ServerSentEvent("frame", id: String(response.sequence), data: response.frameLine).text
    }

    private func events(_ response: AnalyzeResponse, _ state: inout State) -> String {
        state.watch.see(response).reduce(into: "") {
            $0 += ServerSentEvent("area", data: String(decoding: $1.json, as: UTF8.self)).text
        }
    }

    /// What happens in areas follows from the results, also of those before. A watcher that saw other areas is told all
    /// that happened in the new ones, behind an event `areas`; one that comes back has seen it.
    private func areasChanged(_ areas: String, _ state: inout State) async throws -> String {
        let isNew = state.areas != nil
        state.areas = areas
        // They were valid when they came; limits that were lowered since are no reason to end.
        let watched = try? AreaSet(json: Data(areas.utf8), limits: videos.areas)
        state.watch = AreaWatch(watched ?? AreaSet(), rules: videos.areaRules)
        var text = isNew ? ServerSentEvent("areas", data: areas.isEmpty ? VideoWish.noAreas : areas).text : ""
        guard !state.watch.areas.isEmpty else { return text }
        var sequence: Int64 = 0
        while sequence < state.next {
            let page = try await videos.store.page(of: id, from: sequence)
            for response in page where Int64(response.sequence) < state.next {
                let happened = events(response, &state)
                if isNew { text += happened }
            }
            guard page.count == JobStore.pageSize else { break }
            sequence += Int64(page.count)
        }
        return text
    }
}
