import Bench
import Client
import Foundation
import Mesh
import Messages
import RPC
import Vision

/// Measures all points of a plan, one after the other.
struct BenchSession: Sendable {
    var plan: BenchPlan
    let options: AnalyzeOptions
    let inputs: BenchInputs
    let watch: ProcessWatch
    let console: Console
    let command: BenchCommand
    /// Of a mesh of our own.
    var changes: AsyncStream<MeshChange>.Continuation?

    /// Makes a load of what is varied.
    private struct Loads: Sendable {
        var closed: @Sendable (Int) -> any BenchLoad
        var open:
            (@Sendable (_ rate: Double, _ arrivals: Arrivals, _ connections: Int, _ factor: Double?) -> any BenchLoad)?
        var streams: (@Sendable (Int, StreamLoad.Pace, _ factor: Double?) -> any BenchLoad)?
        /// The pipeline takes no single frames.
        var needsStreams = false
    }

    /// On a mesh that was started for this: one result, or of `--overhead` those of a node and of the mesh.
    func run(on mesh: String) async throws -> [BenchResult] {
        guard plan.isOverhead else { return [try await run(mesh: mesh)] }
        var direct = self
        direct.plan.place = .node(try await node(of: mesh))
        let first = try await direct.run(mesh: mesh)
        guard !first.isInterrupted, first.error == nil, !Task.isCancelled else { return [first] }
        return [first, try await run(mesh: mesh)]
    }

    /// Of a mesh of one.
    private func node(of mesh: String) async throws -> ServerAddress {
        let coordinator = MeshTarget(
            try Target(parsing: mesh), try await command.coordinator.callingOwnMesh(), options, survivesLoss: false)
        do {
            try await coordinator.prepare(callers: 1)
            let addresses = try await coordinator.addressesOfNodes()
            coordinator.close()
            guard let address = addresses.first else { throw Fatal("the coordinator knows no node") }
            return try ServerAddress(parsing: address)
        } catch {
            coordinator.close()
            throw error
        }
    }

    /// - Parameter mesh: the coordinator that was started for this.
    /// - Returns: also when its task was cancelled: what was measured by then.
    func run(mesh: String?) async throws -> BenchResult {
        switch plan.place {
        case .inProcess: return try await inProcess()
        case .coordinator, .up:
            let (target, calling) = try await calls(of: mesh)
            let client = MeshTarget(target, calling, options, survivesLoss: !plan.disturbances.isEmpty)
            return try await asking(client, "mesh", at: target.hostPorts) { result in
                try await client.prepare(callers: 1)
                let nodes = await client.nodes()
                result.describe((nodes ?? []).compactMap(\.description), coordinators: await client.versions())
                let pipeline = try client.client(0).pipeline(named: options.pipeline)
                if let nodes, let objection = MeshTarget.objection(to: pipeline, with: nodes) { throw objection }
                return Loads(
                    closed: { ClosedLoad(target: client, inputs: inputs, concurrency: $0) }, open: opening(client),
                    streams: { [options, inputs] in
                        StreamLoad(target: client, options: options, inputs: inputs, streams: $0, pace: $1, factor: $2)
                    }, needsStreams: pipeline.needsStream)
            }
        case .node(let address):
            let (_, calling) = try await calls(of: mesh)
            let node = try NodeTarget(
                address, calling.channel, options, survivesLoss: !plan.disturbances.isEmpty)
            return try await asking(node, "node", at: "\(address)") { result in
                try await node.prepare(callers: 1)
                result.describe(await node.description().map { [$0] } ?? [])
                return single(node)
            }
        case .gateway(let url):
            let settings = try await Settings.load(command.coordinator.config)
            let security = try command.coordinator.securityOptions.security(settings)
            try command.coordinator.securityOptions.check(fitting: url)
            // Whoever calls over HTTP reads these files itself, and does not say which one it is that cannot be used.
            try settings.naming(oneOf: "client") {
                if url.scheme == "https" { _ = try security.clientTLS() }
                _ = try security.interceptors()
            }
            let gateway = try GatewayTarget(
                url, security, options, survivesLoss: !plan.disturbances.isEmpty)
            return try await asking(gateway, "gateway", at: url.absoluteString) { result in
                result.versions = await gateway.versions()
                return single(gateway)
            }
        }
    }

    /// - Parameter mesh: of our own; nil: it is elsewhere.
    private func calls(of mesh: String?) async throws -> (Target, MeshClientConfiguration) {
        if let mesh { return (try Target(parsing: mesh), try await command.coordinator.callingOwnMesh()) }
        let (target, calling, _) = try await command.coordinator.place()
        return (target, calling)
    }

    private func single(_ target: any FrameTarget) -> Loads {
        Loads(
            closed: { [inputs] in ClosedLoad(target: target, inputs: inputs, concurrency: $0) }, open: opening(target))
    }

    private func opening(
        _ target: any FrameTarget
    ) -> @Sendable (Double, Arrivals, Int, Double?) -> any BenchLoad {
        { [inputs, plan] rate, arrivals, connections, factor in
            OpenLoad(
                target: target, inputs: inputs, connections: connections, rate: rate, arrivals: arrivals,
                seed: plan.seed, factor: factor)
        }
    }

    private func asking(
        _ target: any FrameTarget, _ mode: String, at place: String,
        _ loads: (inout BenchResult) async throws -> Loads
    ) async throws -> BenchResult {
        do {
            var result = empty(mode, at: place)
            let loads = try await loads(&result)
            try await measure(loads, &result)
            await target.close()
            return result
        } catch {
            await target.close()
            throw error
        }
    }

    private func inProcess() async throws -> BenchResult {
        let place = command.place
        let bench = try InProcessBench(
            pipeline: options.pipeline, store: try Resources.store(), detectModel: place.detectModel,
            classifyModel: place.classifyModel, engine: place.engine.chosen(), options: options, inputs: inputs)
        var result = empty("in-process", at: nil)
        result.models = [bench.detectModel, bench.classifyModel].compactMap { $0?.name }
        result.engine = bench.engine.rawValue
        try await measure(Loads(closed: { bench.load(threads: $0) }), &result)
        return result
    }

    private func empty(_ mode: String, at place: String?) -> BenchResult {
        BenchResult(
            mode: mode, target: place, pipeline: options.pipeline, inputs: inputs.count, inputBytes: inputs.bytes,
            environment: .read(
                version: Framemesh.version, executable: Resources.executable, core: VisionCore.compiler),
            configuration: command.record)
    }

    // ---- points ----

    /// - Throws: what keeps anything from being measured. What ends the run later stands in the result, behind what was measured
    ///   before.
    private func measure(_ loads: Loads, _ result: inout BenchResult) async throws {
        do {
            try await measureAll(loads, &result)
        } catch {
            guard !result.points.isEmpty, !(error is CancellationError) else { throw error }
            let fatal = Fatal(error)
            result.error = fatal.description
            result.exitCode = fatal.status.rawValue
        }
    }

    private func measureAll(_ loads: Loads, _ result: inout BenchResult) async throws {
        switch plan.load {
        case .concurrency(let sweep):
            try await all(sweep.points, &result) { count in
                if loads.needsStreams { return loads.streams?(count, .closed(perStream: 1), nil) }
                return loads.closed(count)
            }
            result.bestConcurrency = result.mostWithinLimit
        case .search(let sweep): try await search(sweep, loads, &result)
        case .rates(let sweep, let arrivals, let connections):
            try needSingle(loads)
            try await all(sweep.points, &result) { loads.open?($0, arrivals, connections, nil) }
        case .streams(let sweep, let perStream):
            try await all(sweep.points, &result) { loads.streams?($0, .closed(perStream: perStream), nil) }
        case .cameras(let sweep, let fps):
            try await all(sweep.points, &result) { loads.streams?($0, .camera(fps: fps), nil) }
        case .overload(let factors, let arrivals, let connections, let concurrency, let cameras):
            try await overload(factors, arrivals, connections, concurrency, cameras, loads, &result)
        }
    }

    private func needSingle(_ loads: Loads) throws(Fatal) {
        if loads.needsStreams {
            throw Fatal(
                "the pipeline \(options.pipeline) takes streams only: --concurrency or --streams", status: .usage)
        }
    }

    private func all<Number: Sendable>(
        _ numbers: [Number], _ result: inout BenchResult, _ load: (Number) -> (any BenchLoad)?
    ) async throws {
        for number in numbers {
            guard let load = load(number) else { continue }
            guard let point = try await add(load, &result), !point.isInterrupted else { return }
        }
    }

    /// - Returns: nil: it was ended before anything of it was measured, and is no point.
    /// - Throws: what keeps all further frames from being answered; the result has the point if some were.
    private func add(
        _ load: any BenchLoad, _ result: inout BenchResult, timing: BenchTiming? = nil
    ) async throws -> BenchPoint? {
        let run = PointRun(
            load: load, timing: timing ?? plan.timing, processes: watch, disturbances: plan.disturbances,
            changes: changes,
            say: { [console] text in console.progress { text() } })
        var point: BenchPoint
        var reason: (any Error)?
        do {
            point = try await run.measure()
        } catch let cut as PointRun.CutShort {
            point = cut.point
            reason = cut.reason
        }
        guard !point.isEmpty else {
            result.endedInWarmUp = true
            return nil
        }
        // Without one of its stages a frame is quick.
        point.isWithinLimit = plan.latencyLimit.map { limit in
            point.failed == 0 && point.partial == 0 && point.answered > 0
                && point.latency(plan.timing.percentile) <= limit
        }
        result.points.append(point)
        if let reason { throw reason }
        return point
    }

    private func search(_ sweep: Sweep<Int>, _ loads: Loads, _ result: inout BenchResult) async throws {
        try needSingle(loads)
        // Also where a point cannot be measured: those before it are known.
        defer {
            result.bestConcurrency = result.mostWithinLimit
            result.points.sort { $0.load.callers < $1.load.callers }
        }
        var search = ConcurrencySearch(sweep)
        while let count = search.next {
            guard let point = try await add(loads.closed(count), &result), !point.isInterrupted else { break }
            search.record(isWithinLimit: point.isWithinLimit ?? false)
        }
    }

    private func overload(
        _ factors: [Double], _ arrivals: Arrivals, _ connections: Int, _ concurrency: Int, _ cameras: Int?,
        _ loads: Loads, _ result: inout BenchResult
    ) async throws {
        let isCameras = loads.needsStreams || cameras != nil
        if loads.needsStreams, cameras == nil { try needSingle(loads) }
        // Lossless streams, so that their capacity is known; cameras with the policy come after that.
        let saturating: (any BenchLoad)? =
            if isCameras {
                loads.streams?(concurrency, .closed(perStream: Self.saturatingFrames), nil)
            } else {
                loads.closed(concurrency)
            }
        guard let saturating else { return }
        guard let capacity = try await add(saturating, &result), !capacity.isInterrupted else { return }
        guard capacity.framesPerSecond > 0 else { throw Fatal("no frame was answered: there is no capacity to exceed") }
        result.capacity = capacity.framesPerSecond
        var timing = plan.timing
        // Beyond the capacity nothing settles: so long, whatever is seen.
        timing.duration = timing.duration ?? timing.window * timing.rules.agreeing
        for factor in factors {
            let rate = try Self.rate(of: factor, times: capacity.framesPerSecond, from: cameras)
            let load: (any BenchLoad)? =
                if let cameras {
                    loads.streams?(cameras, .camera(fps: rate / Double(cameras)), factor)
                } else {
                    loads.open?(rate, arrivals, connections, factor)
                }
            guard let load else { return }
            guard let point = try await add(load, &result, timing: timing), !point.isInterrupted else { return }
        }
    }

    /// - Parameters:
    ///   - capacity: frames a second.
    ///   - cameras: that share the rate; nil: it is that of one open loop.
    /// - Returns: frames a second altogether.
    /// - Throws: `Fatal` if there is no such load.
    static func rate(of factor: Double, times capacity: Double, from cameras: Int?) throws(Fatal) -> Double {
        let rate = capacity * factor
        let (each, count) = cameras.map { (BenchPlan.fps, Double($0)) } ?? (ArrivalSchedule.rates, 1)
        let (least, most) = (each.lowerBound * count, each.upperBound * count)
        guard rate < least || rate > most else { return rate }
        let (side, limit) = rate > most ? ("above", most) : ("below", least)
        throw Fatal(
            "\(Figure.number(factor)) times the capacity is \(Figure.number(rate)) frames/s, which is "
                + "\(side) the limit of \(Figure.number(limit))"
                + (cameras == nil ? "" : " of so many cameras"))
    }

    /// Frames of each stream that are on their way while the capacity is looked for.
    private static let saturatingFrames = 4
}

extension BenchResult {
    /// - Parameters:
    ///   - nodes: what they say of themselves.
    ///   - coordinators: their versions.
    fileprivate mutating func describe(_ nodes: [NodeDescription], coordinators: [String] = []) {
        var said = coordinators.map { (role: "coordinator", version: $0) }
        for node in nodes { said.append((node.role, node.build)) }
        versions = Self.byRole(said)
        models = Set(nodes.flatMap(\.models).map(\.name)).sorted()
        let engines = Set(nodes.map(\.engine).filter { !$0.isEmpty }).sorted()
        engine = engines.isEmpty ? nil : engines.joined(separator: ", ")
    }

    /// By role, each once.
    /// - Parameter said: roles and their versions; an empty one was not said.
    static func byRole(_ said: [(role: String, version: String)]) -> [String: [String]] {
        var versions: [String: Set<String>] = [:]
        for (role, version) in said where !version.isEmpty { versions[role, default: []].insert(version) }
        return versions.mapValues { $0.sorted() }
    }
}
