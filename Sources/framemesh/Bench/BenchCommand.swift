import ArgumentParser
import Bench
import Foundation
import Messages
import Results

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure a mesh, or the same work without one.",
        discussion: """
            Measures a coordinator, a node, a gateway or this process. A load is one of: callers that send their next frame \
            when the last one was answered (--concurrency), a rate that is kept whatever the answers do (--rate), cameras \
            (--streams), or a multiple of what is found to be the capacity (--overload). N may be START:END or \
            START:END:STEP. Each caller has a connection of its own.

            A point is measured in windows until the last three agree within 10 % in throughput and latency, at most 10 of \
            them, else it is marked unstable; or for --duration seconds. Latencies count from when a frame was planned to \
            be sent. Ctrl-C ends the run and prints what was measured.

            Examples:
              framemesh bench --pipeline detect --concurrency 1:8 --input dog.jpg
              framemesh bench --pipeline detect --latency-limit 100 --percentile 99 \\
                --input frames
              framemesh bench --pipeline detect --rate 20:60:10 --arrivals poisson \\
                --input frames --json run.json --html run.html
              framemesh bench --pipeline track --streams 4 --fps 15 --size 1280x720
              framemesh bench --gateway http://127.0.0.1:8080 --pipeline detect \\
                --concurrency 4 --size 640x480
              framemesh bench --in-process --pipeline detect+classify --concurrency 2 \\
                --input frames --json -
              framemesh bench --up --detectors 2 --classifiers 0 --pipeline detect \\
                --size 640x480 --duration 30 --disturb kill:detector@10
              framemesh bench --up --nodes 4 --pipeline detect --size 640x480 \\
                --duration 60 --disturb scale:node:2@10 --disturb scale:node:4@25 \\
                --disturb roll:node@40
              framemesh bench --pipeline detect --size 640x480 --duration 60 \\
                --disturb 'run:kubectl rollout restart deployment/detector@20'
              framemesh bench --overhead --pipeline detect
              framemesh bench compare before.json after.json

            Exit code 0 only if no frame failed or was partial, in the windows or not, and those of streams came in order; \
            under --overload and --disturb, and beyond the answer of a search, frames may fail or be partial. It is 1 where \
            what --disturb names could not be done, or its command failed.
            """,
        subcommands: [BenchCompareCommand.self])

    @OptionGroup var coordinator: CoordinatorOption
    @OptionGroup var analyze: AnalyzeArguments
    @OptionGroup(title: "Where") var place: BenchPlaceOptions
    @OptionGroup(title: "Load") var load: BenchLoadOptions
    @OptionGroup(title: "Windows") var timing: BenchTimingOptions
    @OptionGroup(title: "Pictures") var pictures: BenchPictureOptions
    @OptionGroup(title: "Reports") var reports: BenchReportOptions

    /// Not in `validate`, which would look at `bench compare` too.
    func plan() throws -> BenchPlan {
        var plan = BenchPlan(load: try load.load())
        plan.place = try place.place(coordinator: coordinator.coordinator)
        plan.isOverhead = place.overhead
        plan.timing = try timing.timing(isDisturbed: !load.disturb.isEmpty)
        plan.latencyLimit = load.latencyLimit
        plan.timing.rules.latencyLimit = load.latencyLimit
        plan.seed = load.seed ?? BenchPlan.seed
        plan.disturbances = try load.disturbances()
        try check(plan)
        return plan
    }

    private func check(_ plan: BenchPlan) throws {
        try checkLimits(plan)
        try checkCalls(plan)
        if plan.place == .up { _ = try place.mesh() }
        if plan.needsStreams, ![.coordinator, .up].contains(plan.place) {
            throw Fatal("streams go to a coordinator only", status: .usage)
        }
        if plan.place == .inProcess {
            switch plan.load {
            case .concurrency, .search: break
            default: throw Fatal("--in-process has threads only: --concurrency", status: .usage)
            }
            if analyze.frameDeadlineMs != nil {
                throw Fatal("--in-process has no deadlines: no --frame-deadline-ms", status: .usage)
            }
        }
        if case .gateway = plan.place, pictures.raw {
            throw Fatal("a gateway takes files, no raw pixels: --raw is for gRPC", status: .usage)
        }
        try checkDisturbances(plan)
        try checkOverhead(plan)
        if case .gateway = plan.place {
            if analyze.topK != nil { throw Fatal("a gateway takes no --top-k", status: .usage) }
            if load.connections != nil {
                throw Fatal("requests to a gateway have a connection each: no --connections", status: .usage)
            }
        }
        if load.policy == .deadline, analyze.frameDeadlineMs == nil {
            throw Fatal("--policy deadline needs --frame-deadline-ms", status: .usage)
        }
    }

    private func checkLimits(_ plan: BenchPlan) throws {
        try coordinator.limitOptions.refuseThoseOfSources()
        guard !coordinator.limitOptions.limits.isEmpty else { return }
        switch plan.place {
        case .coordinator, .up: return
        case .node:
            guard let other = coordinator.limitOptions.names.first(where: NodeTarget.isOfMeshes) else { return }
            throw Fatal(
                "the limit \(other) is for whoever looks for coordinators: calls of one --node have none of it",
                status: .usage)
        case .gateway, .inProcess:
            throw Fatal(
                "--limit is for the calls of a coordinator or a node: --gateway and --in-process have none of these",
                status: .usage)
        }
    }

    /// Options about calls that are not made.
    private func checkCalls(_ plan: BenchPlan) throws(Fatal) {
        let isOwn = [.up, .inProcess].contains(plan.place)
        if isOwn, let option = coordinator.securityOptions.named.first {
            throw Fatal(
                "\(option) is for a mesh that is there: what is started for this is called in plain text",
                status: .usage)
        }
        if plan.place != .coordinator, coordinator.dns.dnsServer != nil {
            throw Fatal("--dns-server is for whoever looks for coordinators by name", status: .usage)
        }
        if plan.place == .inProcess, coordinator.config != nil {
            throw Fatal("--in-process has no settings: no --config", status: .usage)
        }
    }

    private func checkOverhead(_ plan: BenchPlan) throws(Fatal) {
        guard plan.isOverhead else { return }
        guard plan.load.isOnePoint, !plan.needsStreams, plan.disturbances.isEmpty else {
            throw Fatal("--overhead goes with one --concurrency or --rate, and without --disturb", status: .usage)
        }
        if reports.csv != nil || reports.html != nil {
            throw Fatal("--overhead has two results: --json, no --csv and --html", status: .usage)
        }
    }

    private func checkDisturbances(_ plan: BenchPlan) throws {
        guard let last = plan.disturbances.map(\.at).max() else { return }
        guard let duration = timing.duration else { throw Fatal("--disturb needs --duration", status: .usage) }
        guard last < duration else {
            throw Fatal("--disturb at \(last) s comes after the end: --duration \(duration)", status: .usage)
        }
        if plan.place != .up, plan.disturbances.contains(where: \.needsOwnMesh) {
            throw Fatal(
                "--disturb of a role needs --up; elsewhere: kill:PID@SECONDS, run:COMMAND@SECONDS", status: .usage)
        }
        if !plan.load.isOnePoint, plan.disturbances.contains(where: \.lasts) {
            throw Fatal(
                "--disturb with roll or scale needs a load of one point: no START:END, --latency-limit or --overload; the "
                    + "next point would have the mesh that this one left", status: .usage)
        }
        for disturbance in plan.disturbances { try disturbance.checkProcess() }
        if plan.place == .up { try Disturbance.check(plan.disturbances, on: try place.mesh()) }
    }

    func run() async throws {
        let plan = try plan()
        var options = try analyze.options()
        options.policy = load.framePolicy
        let watch = ProcessWatch(roots: try reports.processes(), metrics: try reports.addresses())
        let sources = try PictureSource.discover(pictures.inputs)
        let (size, isRaw) = (try pictures.chosenSize(usual: usualSize), self.isRaw)
        try reports.check(reading: sources)
        let mesh = plan.place == .up ? try place.mesh(config: coordinator.config) : nil
        try await Interrupts.run { [options] in
            let inputs =
                if let size, sources.isEmpty {
                    try BenchInputs(making: size, isRaw: isRaw)
                } else {
                    try await BenchInputs(reading: sources, size: size, isRaw: isRaw)
                }
            let console = Console()
            for (url, reason) in await watch.silent() {
                console.note(
                    "note: --metrics \(url) tells nothing now: \(reason); a point that begins so is without it")
            }
            let (changes, change) = AsyncStream<MeshChange>.makeStream()
            let session = BenchSession(
                plan: plan, options: options, inputs: inputs, watch: watch, console: console, command: self,
                changes: change)
            let results: [BenchResult]
            if let mesh {
                let (found, ending) = try await LocalMesh.with(mesh, changes: changes, say: { console.note($0) }) {
                    try await session.run(on: $0.coordinator)
                }
                results = found.map { $0.telling(cut: ending.unrolled) }
            } else {
                results = [try await session.run(mesh: nil)]
            }
            console.clearProgress()
            try conclude(results, plan, console)
        }
    }

    /// Writes what was measured.
    /// - Throws: what the exit code is to say.
    func conclude(_ results: [BenchResult], _ plan: BenchPlan, _ console: Console) throws {
        let isInterrupted = results.contains(where: \.isInterrupted)
        if isInterrupted, results.allSatisfy(\.points.isEmpty) {
            console.note("nothing was measured, and nothing is written: the run ended in its warm-up")
            throw CancellationError()
        }
        try reports.write(results, plan, console)
        for result in results {
            guard let error = result.error else { continue }
            throw Fatal(error, status: result.exitCode.map(ExitStatus.init(rawValue:)) ?? .failed)
        }
        // Behind the last window only answers were waited for, which might have been failures.
        if isInterrupted || Task.isCancelled { throw CancellationError() }
        let failed = results.flatMap(\.points).flatMap(\.disturbances).filter { $0.hasFailed == true }
        if let first = failed.first {
            let others = failed.count == 1 ? "" : " (and \(Count.of(failed.count - 1, "other")))"
            throw Fatal("the disturbance '\(first.text.onOneLine)' failed\(others)")
        }
        for result in results {
            let mayFail = result.capacity != nil || !plan.disturbances.isEmpty
            var judged = result
            // More at once than are answered in time may find no room either: that is what a search looks for.
            if case .search = plan.load, let best = result.bestConcurrency {
                judged.points.removeAll { $0.load.callers > best }
            }
            guard mayFail || judged.failed == 0 && judged.partial == 0, result.outOfOrder == 0 else {
                throw Fatal(nil)
            }
        }
    }

    /// Pixels need no decoder, and few of them little copying.
    private var isRaw: Bool { pictures.raw || place.overhead }
    private var usualSize: String { place.overhead ? "128x128" : BenchPictureOptions.usualSize }

    /// What was asked for, by option, as results keep it.
    var record: [String: String] {
        var record = load.record.merging(timing.record) { $1 }
        if let size = pictures.size ?? (pictures.inputs.isEmpty ? usualSize : nil) { record["size"] = size }
        if isRaw { record["raw"] = "yes" }
        let limits = coordinator.limitOptions.limits
        if !limits.isEmpty { record["limit"] = limits.joined(separator: " ") }
        if let confidence = analyze.minConfidence { record["min-confidence"] = "\(confidence)" }
        if let topK = analyze.topK { record["top-k"] = "\(topK)" }
        if let deadline = analyze.frameDeadlineMs { record["frame-deadline-ms"] = "\(deadline)" }
        if place.up || place.overhead {
            if let config = coordinator.config { record["config"] = config }
            record.merge(EnvironmentNames.shown(ProcessInfo.processInfo.environment)) { $1 }
        }
        return record.merging(place.record) { $1 }
    }
}
