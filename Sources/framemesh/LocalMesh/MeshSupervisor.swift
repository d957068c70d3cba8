/// Decides how a local mesh starts, what happens when a part of it ends, and how all of it ends; without processes,
/// pipes or clocks.
///
///     startingNodes ─▶ startingCoordinator ─▶ joining ─▶ ready
///           └──────────────────┴─────────────────┴─────────┴──▶ endingGateway ─▶ endingCoordinator ─▶ endingNodes ─▶ ended
///
/// Nodes start first, because the coordinator is told where they are, and the gateway when the coordinator serves. A part
/// that ends before it was ever ready ends the mesh with its error; later it is started again, at the same address. The
/// end is in the other order, so that what a part drains still finds those that it calls.
struct MeshSupervisor {
    enum Phase: Sendable, Comparable {
        case startingNodes, startingCoordinator, joining, ready, endingGateway, endingCoordinator, endingNodes, ended
    }

    enum Input: Sendable {
        case start
        /// The part says that it serves.
        case serves(MeshPart, address: String)
        case ended(MeshPart, ChildEnding)
        case timer(Timer)
        /// The coordinator sees all nodes ready.
        case joined
        /// For every part: SIGUSR1 or SIGUSR2, which change the level of its log.
        case signal(Int32)
        case change(MeshChange)
        case stop
    }

    enum Timer: Sendable, Hashable {
        case restart(MeshPart)
        case startLimit
        /// What still runs in this phase is killed.
        case endLimit(Phase)
    }

    enum Action: Sendable, Hashable {
        case spawn(MeshPart, [String])
        case signal(MeshPart, Int32)
        case terminate(MeshPart)
        case kill(MeshPart)
        case set(Timer, after: Duration)
        /// Ask the coordinator until it sees so many nodes ready.
        case join(address: String, nodes: Int)
        case announce(MeshAddresses)
        case say(String)
        /// All children are gone.
        case finish(Ending)
    }

    /// How the mesh as a whole ended.
    struct Ending: Error, Sendable, Hashable {
        /// nil: as it was told to.
        var failure: String?
        var status = ExitStatus.ok
        /// Parts that a roll had yet to start anew when the end came.
        var unrolled: [MeshPart] = []
    }

    private struct PartState {
        var address: String?
        var startedAt = ContinuousClock.now
        var isRunning = false
        /// It shall run.
        var isWanted = true
        /// It was told to end, once: a second signal would cut its work short. If it is wanted when it has ended, it is started anew
        /// at once.
        var isEnding = false
        var backoff = RestartBackoff()
    }

    /// For models to load, on a busy machine.
    static let startLimit: Duration = .seconds(120)
    /// Beyond the drain timeout, for a part to end after SIGTERM.
    static let endMargin: Duration = .seconds(3)

    let plan: MeshPlan
    private(set) var phase = Phase.startingNodes
    private var parts: [MeshPart: PartState] = [:]
    private var ending = Ending()
    /// The coordinator sees all nodes ready.
    private var hasJoined = false
    /// Parts that are started anew, one after the other; the first is at it.
    private var toRoll: [MeshPart] = []

    init(_ plan: MeshPlan) { self.plan = plan }

    mutating func handle(_ input: Input, now: ContinuousClock.Instant) -> [Action] {
        switch input {
        case .start: start(now)
        case .serves(let part, let address): serves(part, address, now)
        case .ended(let part, let ending): ended(part, ending, now)
        case .timer(let timer): fired(timer, now)
        case .joined: joined()
        case .signal(let number): all.filter { parts[$0]?.isRunning == true }.map { .signal($0, number) }
        case .change(let change): changed(change, now)
        case .stop: stop()
        }
    }

    private mutating func start(_ now: ContinuousClock.Instant) -> [Action] {
        let limit = Action.set(.startLimit, after: Self.startLimit)
        return [limit] + plan.nodes.map { spawn($0, now) } + coordinatorIfNodesServe(now)
    }

    private mutating func spawn(_ part: MeshPart, _ now: ContinuousClock.Instant) -> Action {
        var state = parts[part] ?? PartState()
        state.isRunning = true
        state.startedAt = now
        parts[part] = state
        return .spawn(part, plan.arguments(of: part, at: state.address, nodes: parts.compactMapValues(\.address)))
    }

    private mutating func coordinatorIfNodesServe(_ now: ContinuousClock.Instant) -> [Action] {
        guard phase == .startingNodes, plan.nodes.allSatisfy({ parts[$0]?.address != nil }) else { return [] }
        phase = .startingCoordinator
        return [spawn(.coordinator, now)]
    }

    private mutating func serves(_ part: MeshPart, _ address: String, _ now: ContinuousClock.Instant) -> [Action] {
        guard phase < .endingGateway else { return [] }
        let isFirst = parts[part]?.address == nil
        parts[part]?.address = address
        guard isFirst else { return [.say("\(part) serves again at \(address)")] + rolled(part) }
        switch part.role {
        case .detector, .classifier, .node: return coordinatorIfNodesServe(now)
        case .gateway: return announcement()
        case .coordinator:
            phase = .joining
            let join = Action.join(address: address, nodes: plan.nodes.count)
            return plan.gatewayPort == nil ? [join] : [join, spawn(.gateway, now)]
        }
    }

    private mutating func joined() -> [Action] {
        hasJoined = true
        return announcement()
    }

    /// Once all of it is there.
    private mutating func announcement() -> [Action] {
        guard phase == .joining, hasJoined, let coordinator = parts[.coordinator]?.address else { return [] }
        let gateway = parts[.gateway]?.address
        guard plan.gatewayPort == nil || gateway != nil else { return [] }
        phase = .ready
        return [.announce(MeshAddresses(coordinator: coordinator, gateway: gateway))]
    }

    private mutating func ended(_ part: MeshPart, _ how: ChildEnding, _ now: ContinuousClock.Instant) -> [Action] {
        let wasTold = parts[part]?.isEnding == true
        parts[part]?.isRunning = false
        parts[part]?.isEnding = false
        guard phase < .endingGateway else { return advanceEnd() }
        guard var state = parts[part], state.address != nil else {
            return fail(
                how.error.map { "\(part): \($0)" } ?? "\(part) \(how) before it was ready", how.status)
        }
        guard state.isWanted else { return [.say("\(part) \(how), as it was told to")] + rolled(part) }
        if wasTold {
            return [.say("\(part) \(how), as it was told to; it is started anew"), spawn(part, now)]
        }
        let delay = state.backoff.delay(afterRunning: state.startedAt.duration(to: now))
        parts[part] = state
        let seconds = Double(delay.components.seconds) + Double(delay.components.attoseconds) / 1e18
        return [
            .say("\(part) \(how); it is started again in \(seconds) s"), .set(.restart(part), after: delay),
        ]
    }

    private mutating func fired(_ timer: Timer, _ now: ContinuousClock.Instant) -> [Action] {
        switch timer {
        case .restart(let part):
            guard phase < .endingGateway, parts[part]?.isWanted == true, parts[part]?.isRunning == false else {
                return []
            }
            return [spawn(part, now)]
        case .startLimit:
            guard phase < .ready else { return [] }
            let late = all.filter { parts[$0]?.address == nil }.map(\.description)
            let whom = late.isEmpty ? "the coordinator to see its nodes" : late.joined(separator: ", ")
            return fail("not ready after \(Self.startLimit.components.seconds) s, waiting for \(whom)", .unreachable)
        case .endLimit(let limited):
            return phase == limited ? due.map { .kill($0) } : []
        }
    }

    // ---- changes ----

    private mutating func changed(_ change: MeshChange, _ now: ContinuousClock.Instant) -> [Action] {
        guard phase == .ready else { return [] }
        switch change {
        case .roll(let role):
            let isRolling = !toRoll.isEmpty
            toRoll += all.filter { $0.role == role && parts[$0]?.isWanted == true && !toRoll.contains($0) }
            return isRolling ? [] : roll()
        case .scale(let role, let count):
            return plan.nodes.filter { $0.role == role }.flatMap { want($0, $0.number <= count, now) }
        }
    }

    private mutating func want(_ part: MeshPart, _ isWanted: Bool, _ now: ContinuousClock.Instant) -> [Action] {
        guard let state = parts[part], state.isWanted != isWanted else { return [] }
        parts[part]?.isWanted = isWanted
        // One that still runs was told to end, and is started anew when it has.
        if isWanted { return state.isRunning ? [] : [spawn(part, now)] }
        return state.isRunning ? end(part) : rolled(part)
    }

    private mutating func end(_ part: MeshPart) -> [Action] {
        guard parts[part]?.isEnding == false else { return [] }
        parts[part]?.isEnding = true
        return [.terminate(part)]
    }

    /// Ends the first part that is to be started anew; those that do not run are on their way already, or not wanted.
    private mutating func roll() -> [Action] {
        while let part = toRoll.first, parts[part]?.isRunning != true || parts[part]?.isWanted != true {
            toRoll.removeFirst()
        }
        return toRoll.first.map { end($0) } ?? []
    }

    /// It serves anew, or will not any more. One that has yet to end is neither, whatever it says.
    private mutating func rolled(_ part: MeshPart) -> [Action] {
        guard toRoll.first == part, parts[part]?.isEnding == false else { return [] }
        toRoll.removeFirst()
        return roll()
    }

    private mutating func fail(_ reason: String, _ status: ExitStatus) -> [Action] {
        ending = Ending(failure: reason, status: status)
        return stop()
    }

    private mutating func stop() -> [Action] {
        guard phase < .endingGateway else { return [] }
        phase = .endingGateway
        ending.unrolled = toRoll.filter { parts[$0]?.isWanted == true }
        let left = ending.unrolled.map(\.description).joined(separator: ", ")
        let cut = left.isEmpty ? [] : [Action.say("the mesh ends before \(left) was started anew and served")]
        return cut + (due.isEmpty ? advanceEnd() : endDue())
    }

    /// The next step of the end, once what it waits for has ended.
    private mutating func advanceEnd() -> [Action] {
        let next: [Phase: Phase] = [
            .endingGateway: .endingCoordinator, .endingCoordinator: .endingNodes, .endingNodes: .ended,
        ]
        guard due.isEmpty else { return [] }
        while due.isEmpty, let following = next[phase] { phase = following }
        return phase == .ended ? [.finish(ending)] : endDue()
    }

    private mutating func endDue() -> [Action] {
        due.flatMap { end($0) } + [.set(.endLimit(phase), after: endLimit)]
    }

    private var endLimit: Duration { .seconds(plan.drainTimeout) + Self.endMargin }

    private var all: [MeshPart] { plan.nodes + [.coordinator] + (plan.gatewayPort == nil ? [] : [.gateway]) }

    /// Those that run and whose turn it is to end, in a fixed order. The last phase takes whatever is left.
    private var due: [MeshPart] {
        let parts =
            switch phase {
            case .endingGateway: [MeshPart.gateway]
            case .endingCoordinator: [MeshPart.coordinator]
            default: all
            }
        return parts.filter { self.parts[$0]?.isRunning == true }
    }
}

/// Where a mesh that is ready can be called.
struct MeshAddresses: Sendable, Hashable {
    /// HOST:PORT.
    var coordinator: String
    var gateway: String?
}

extension ChildEnding {
    /// What the mesh ends with, when this ended it.
    fileprivate var status: ExitStatus {
        guard case .code(let code) = how, code != 0 else { return .failed }
        return ExitStatus(rawValue: code)
    }
}
