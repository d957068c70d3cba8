import Foundation

/// Does what the supervisor decides.
struct MeshRunner {
    let plan: MeshPlan
    let executable: String
    let feed: AsyncStream<MeshSupervisor.Input>.Continuation
    /// Gets the addresses once the mesh is ready; ends with the mesh.
    let announce: AsyncStream<MeshAddresses>.Continuation
    let say: @Sendable (String) -> Void

    /// Runs until all children are gone.
    func run(_ inputs: AsyncStream<MeshSupervisor.Input>) async -> MeshSupervisor.Ending {
        defer { announce.finish() }
        feed.yield(.start)
        return await withTaskGroup(of: Void.self) { tasks in
            defer { tasks.cancelAll() }
            var supervisor = MeshSupervisor(plan)
            var children: [MeshPart: ChildProcess] = [:]
            for await input in inputs {
                for action in supervisor.handle(input, now: .now) {
                    switch action {
                    case .spawn(let part, let arguments): children[part] = spawn(part, arguments)
                    case .signal(let part, let number): children[part]?.signal(number)
                    case .terminate(let part): children[part]?.signal(SIGTERM)
                    case .kill(let part): children[part]?.signal(SIGKILL)
                    case .set(let timer, let delay):
                        tasks.addTask {
                            guard (try? await Task.sleep(for: delay)) != nil else { return }
                            feed.yield(.timer(timer))
                        }
                    case .join(let address, let nodes):
                        tasks.addTask {
                            guard await ReadyNodes.wait(for: nodes, of: address) else { return }
                            feed.yield(.joined)
                        }
                    case .announce(let addresses): announce.yield(addresses)
                    case .say(let text): say("mesh | \(text)")
                    case .finish(let ending): return ending
                    }
                }
            }
            return MeshSupervisor.Ending()
        }
    }

    private func spawn(_ part: MeshPart, _ arguments: [String]) -> ChildProcess? {
        do {
            return try ChildProcess(executable: executable, arguments: arguments) { [feed, say] event in
                switch event {
                case .output(let line):
                    if let address = line.dropping(prefix: "ready ") {
                        feed.yield(.serves(part, address: address))
                    } else {
                        say("\(part) | \(line)")
                    }
                case .log(let line): say("\(part) | \(line)")
                case .ended(let ending): feed.yield(.ended(part, ending))
                }
            }
        } catch {
            feed.yield(.ended(part, ChildEnding(how: .notStarted("\(error)"))))
            return nil
        }
    }
}

extension String {
    /// The rest after `prefix`; nil where it does not start so.
    func dropping(prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
