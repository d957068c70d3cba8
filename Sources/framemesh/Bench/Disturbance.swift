import Bench
import Foundation

/// Something that is done to a process on purpose while a mesh is measured: `kill:detector@10`.
struct Disturbance: Sendable, Equatable {
    enum Action: String, Sendable, CaseIterable {
        /// SIGKILL.
        case kill
        /// It stands still for a while, as a machine that swaps does.
        case pause
        /// It gets half of its time, in turns, until the end.
        case slow
    }

    enum Victim: Sendable, Equatable {
        case process(Int32)
        /// The first process of a role among those that are watched.
        case role(String)
    }

    var action: Action
    var victim: Victim
    /// Seconds after the first window began.
    var at: Double

    var isOfRole: Bool { if case .role = victim { true } else { false } }

    static let maxCount = 32
    static let roles = ["coordinator", "detector", "classifier", "node", "gateway"]

    /// - Throws: `Fatal` that says what is wrong with it.
    init(parsing text: String) throws(Fatal) {
        let wrong = Fatal(
            "--disturb '\(text)' is not kill|pause|slow:PID|ROLE@SECONDS, such as kill:detector@10", status: .usage)
        let halves = text.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count == 2, let at = Double(halves[1]), (0...BenchPlan.maxSeconds).contains(at) else {
            throw wrong
        }
        let parts = halves[0].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let action = Action(rawValue: String(parts[0])) else { throw wrong }
        if let pid = Int32(parts[1]), pid > 1 {
            victim = .process(pid)
        } else if Self.roles.contains(String(parts[1])) {
            victim = .role(String(parts[1]))
        } else {
            throw wrong
        }
        self.action = action
        self.at = at
    }
}

/// Does it, and undoes what can be undone.
final class Disturber: Sendable {
    private static let pauseTime: Duration = .seconds(5)
    private static let slowTurn: Duration = .milliseconds(50)

    private let disturbances: [Disturbance]
    private let stop = StopSign()

    init(_ disturbances: [Disturbance]) { self.disturbances = disturbances }

    /// No more is done; what stands still goes on.
    func end() { stop.raise() }

    /// Ends once all is done, or by `end`.
    /// - Returns: what was done, in order.
    func run() async -> [DisturbanceRecord] {
        let start = ContinuousClock.now
        return await withTaskGroup(of: DisturbanceRecord?.self) { [stop] tasks in
            for disturbance in disturbances { tasks.addTask { await Self.run(disturbance, since: start, stop) } }
            var records: [DisturbanceRecord] = []
            for await record in tasks { if let record { records.append(record) } }
            return records.sorted { $0.atSeconds < $1.atSeconds }
        }
    }

    /// - Returns: nil: it was over before.
    private static func run(
        _ disturbance: Disturbance, since start: ContinuousClock.Instant, _ stop: StopSign
    ) async -> DisturbanceRecord? {
        guard await stop.wait(until: start + .seconds(disturbance.at)) else { return nil }
        let at = (ContinuousClock.now - start) / .seconds(1)
        guard let pid = process(disturbance.victim) else {
            return DisturbanceRecord(atSeconds: at, text: "\(disturbance.action.rawValue): nobody was there")
        }
        let text = "\(disturbance.action.rawValue) \(ProcessTable.name(of: pid)) (process \(pid))"
        await act(disturbance.action, pid, stop)
        return DisturbanceRecord(atSeconds: at, text: text)
    }

    private static func process(_ victim: Disturbance.Victim) -> Int32? {
        switch victim {
        case .process(let pid): ProcessTable.exists(pid) ? pid : nil
        case .role(let role): ProcessTable.role(role, among: ProcessTable.families(of: [getpid()])).first
        }
    }

    private static func act(_ action: Disturbance.Action, _ pid: Int32, _ stop: StopSign) async {
        switch action {
        case .kill: kill(pid, SIGKILL)
        case .pause:
            kill(pid, SIGSTOP)
            _ = await stop.wait(until: .now + pauseTime)
            kill(pid, SIGCONT)
        case .slow:
            while !stop.isUp {
                kill(pid, SIGSTOP)
                let goesOn = await stop.wait(until: .now + slowTurn)
                kill(pid, SIGCONT)
                guard goesOn, await stop.wait(until: .now + slowTurn) else { return }
            }
        }
    }
}
