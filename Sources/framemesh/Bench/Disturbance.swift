import Bench
import Foundation

/// Something that is done on purpose while a mesh is measured: `kill:detector@10`, `scale:node:2@10`.
struct Disturbance: Sendable, Equatable {
    /// To one process.
    enum Blow: String, Sendable, CaseIterable {
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
        case role(MeshPart.Role)
    }

    enum Action: Sendable, Equatable {
        case blow(Blow, Victim)
        /// To the mesh that `--up` started.
        case change(MeshChange)
        /// What a command of the shell does, wherever that is.
        case run(String)
    }

    var action: Action
    /// Seconds after the first window began.
    var at: Double

    /// It is done to a part of a mesh of our own.
    var needsOwnMesh: Bool { role != nil }
    /// The mesh is another one after it.
    var lasts: Bool { if case .change = action { true } else { false } }

    static let maxCount = 32
    static let form =
        "kill|pause|slow:PID|ROLE@SECONDS, roll:ROLE@SECONDS, scale:ROLE:N@SECONDS or run:COMMAND@SECONDS"

    /// - Throws: `Fatal` that says what is wrong with it.
    init(parsing text: String) throws(Fatal) {
        let wrong = Fatal("--disturb '\(text)' is not \(Self.form), such as kill:detector@10", status: .usage)
        // A command may have more of them.
        guard let mark = text.lastIndex(of: "@"), let at = Double(text[text.index(after: mark)...]),
            (0...BenchPlan.maxSeconds).contains(at), let action = Self.action(text[..<mark])
        else { throw wrong }
        if case .blow(_, .process(let pid)) = action, pid <= Self.firstProcess {
            let reason = pid == Self.firstProcess ? "all others hang on it, so it is left alone" : "it is no process"
            throw Fatal("--disturb '\(text)': \(reason)", status: .usage)
        }
        self.action = action
        self.at = at
    }

    /// Of a machine or a container.
    private static let firstProcess: Int32 = 1

    private static let command = "run:"

    private static func action(_ text: Substring) -> Action? {
        if text.hasPrefix(command) {
            let words = text.dropFirst(command.count)
            return words.allSatisfy(\.isWhitespace) ? nil : .run(String(words))
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return nil }
        let role = MeshPart.Role(rawValue: parts[1])
        switch (parts[0], parts.count) {
        case ("roll", 2): return role.map { .change(.roll($0)) }
        case ("scale", 3):
            guard let role, role.isNode, let count = Int(parts[2]), (0...MeshPlan.maxNodes).contains(count) else {
                return nil
            }
            return .change(.scale(role, to: count))
        case (let word, 2):
            guard let blow = Blow(rawValue: word) else { return nil }
            if let pid = Int32(parts[1]) { return .blow(blow, .process(pid)) }
            return role.map { .blow(blow, .role($0)) }
        default: return nil
        }
    }

    /// Before anything is measured.
    /// - Throws: `Fatal` for a process that is not there, or that we may not signal.
    func checkProcess() throws(Fatal) {
        guard case .blow(_, .process(let pid)) = action, kill(pid, 0) != 0 else { return }
        let reason =
            errno == ESRCH
            ? "there is no such process" : unsafe "we may not signal it: \(String(cString: strerror(errno)))"
        throw Fatal("--disturb '\(self)': \(reason)", status: .usage)
    }

    /// What each of them finds there after those before it, so that nothing is told as done that does nothing.
    ///
    /// - Throws: `Fatal` of the first one that a mesh cannot do.
    static func check(_ disturbances: [Disturbance], on mesh: MeshPlan) throws(Fatal) {
        let started = mesh.countOfRoles
        var running = started
        let changes = disturbances.filter(\.lasts).map(\.at)
        guard Set(changes).count == changes.count else {
            throw Fatal("--disturb: two of roll and scale come at the same time, in no order", status: .usage)
        }
        for disturbance in disturbances.sorted(by: { $0.at < $1.at }) {
            guard let role = disturbance.role else { continue }
            let (now, most) = (running[role, default: 0], started[role, default: 0])
            let isPossible: Bool
            if case .change(.scale(_, let count)) = disturbance.action {
                isPossible = count <= most && count != now
                running[role] = count
            } else {
                isPossible = now > 0
            }
            guard isPossible else {
                throw Fatal(
                    "--disturb: '\(disturbance)' would do nothing at \(disturbance.at) s: --up starts \(most) of that role, "
                        + "and \(now) run then", status: .usage)
            }
        }
    }

    /// Of the mesh of our own.
    private var role: MeshPart.Role? {
        switch action {
        case .blow(_, .process), .run: nil
        case .blow(_, .role(let role)), .change(.roll(let role)), .change(.scale(let role, _)): role
        }
    }
}

extension Disturbance: CustomStringConvertible {
    /// Without its time.
    var description: String {
        switch action {
        case .change(let change): "\(change)"
        case .run(let command): "run \(command)"
        case .blow(let blow, .process(let pid)): "\(blow.rawValue) \(pid)"
        case .blow(let blow, .role(let role)): "\(blow.rawValue) \(role.rawValue)"
        }
    }
}

extension BenchResult {
    /// - Parameter parts: those that a roll had yet to start anew when the mesh ended. They are told of the last one of their role,
    ///   as it was to do all of them.
    func telling(cut parts: [MeshPart]) -> BenchResult {
        var result = self
        guard let point = points.indices.last else { return result }
        for (role, cut) in Dictionary(grouping: parts, by: \.role) {
            let roll = "\(MeshChange.roll(role))"
            guard let index = points[point].disturbances.lastIndex(where: { $0.text == roll }) else { continue }
            let names = cut.map(\.description).joined(separator: ", ")
            result.points[point].disturbances[index].text += ": cut short before \(names) served anew"
        }
        return result
    }
}

/// Does it, and undoes what can be undone.
final class Disturber: Sendable {
    private static let pauseTime: Duration = .seconds(5)
    private static let slowTurn: Duration = .milliseconds(50)

    private let disturbances: [Disturbance]
    /// Where changes of the mesh go; nil: it is not ours.
    private let changes: AsyncStream<MeshChange>.Continuation?
    private let stop = StopSign()

    init(_ disturbances: [Disturbance], _ changes: AsyncStream<MeshChange>.Continuation?) {
        self.disturbances = disturbances
        self.changes = changes
    }

    /// No more is done; what stands still goes on.
    func end() { stop.raise() }

    /// Ends once all is done, or by `end`.
    /// - Returns: what was done, in order.
    func run() async -> [DisturbanceRecord] {
        let start = ContinuousClock.now
        return await withTaskGroup(of: DisturbanceRecord?.self) { tasks in
            for disturbance in disturbances { tasks.addTask { await self.run(disturbance, since: start) } }
            var records: [DisturbanceRecord] = []
            for await record in tasks { if let record { records.append(record) } }
            return records.sorted { $0.atSeconds < $1.atSeconds }
        }
    }

    /// - Returns: nil: it was over before.
    private func run(_ disturbance: Disturbance, since start: ContinuousClock.Instant) async -> DisturbanceRecord? {
        guard await stop.wait(until: start + .seconds(disturbance.at)) else { return nil }
        let at = (ContinuousClock.now - start) / .seconds(1)
        switch disturbance.action {
        case .change(let change):
            changes?.yield(change)
            return DisturbanceRecord(atSeconds: at, text: "\(disturbance)")
        case .run(let command):
            let end = await ShellCommand.run(command, until: stop)
            return DisturbanceRecord(
                atSeconds: at, text: "\(disturbance): \(end.text)", hasFailed: end.hasFailed, exitCode: end.exitCode)
        case .blow(let blow, let victim):
            // One that has ended has its number until who started it asks how, and takes signals in vain.
            guard let pid = Self.process(victim), ProcessTable.isAlive(pid) else {
                return DisturbanceRecord(atSeconds: at, text: "\(disturbance): nobody was there", hasFailed: true)
            }
            var text = "\(blow.rawValue) \(ProcessTable.name(of: pid) ?? "one without a name") (process \(pid))"
            let (trouble, isDone) = await Self.act(blow, pid, stop)
            if let trouble { text += ": \(trouble)" }
            return DisturbanceRecord(atSeconds: at, text: text, hasFailed: !isDone)
        }
    }

    private static func process(_ victim: Disturbance.Victim) -> Int32? {
        switch victim {
        case .process(let pid): pid
        case .role(let role): ProcessTable.role(role.rawValue, among: ProcessTable.families(of: [getpid()])).first
        }
    }

    /// - Returns: what went wrong, and whether it was done at least for a while, as to one that has ended meanwhile.
    private static func act(
        _ blow: Disturbance.Blow, _ pid: Int32, _ stop: StopSign
    ) async -> (trouble: String?, isDone: Bool) {
        func send(_ signal: Int32) -> String? { kill(pid, signal) == 0 ? nil : unsafe String(cString: strerror(errno)) }
        switch blow {
        case .kill:
            let trouble = send(SIGKILL)
            return (trouble, trouble == nil)
        case .pause:
            let keeper = Self.keeper(of: pid)
            defer { keeper?.signal(SIGKILL) }
            if let trouble = send(SIGSTOP) { return (trouble, false) }
            _ = await stop.wait(until: .now + pauseTime)
            return (send(SIGCONT), true)
        case .slow:
            let keeper = Self.keeper(of: pid)
            defer { keeper?.signal(SIGKILL) }
            var isDone = false
            while !stop.isUp {
                if let trouble = send(SIGSTOP) { return (trouble, isDone) }
                isDone = true
                let goesOn = await stop.wait(until: .now + slowTurn)
                if let trouble = send(SIGCONT) { return (trouble, true) }
                guard goesOn, await stop.wait(until: .now + slowTurn) else { return (nil, true) }
            }
            return (nil, true)
        }
    }

    /// A shell that lets a process go on once its own standard input ends, as it does when this process is killed: nobody else would.
    /// - Returns: nil: there is no shell.
    private static func keeper(of pid: Int32) -> ChildProcess? {
        try? ChildProcess(executable: ShellCommand.shell, arguments: ["-c", "read -r end; kill -CONT \(pid)"]) { _ in }
    }
}
