import NIOCore
import RPC
import Synchronization

/// The calls of a channel that wait for an endpoint. Their clients take turns (`FairLine`); when there are too many, the
/// newest of the client with the most gives way to one with fewer.
///
/// Its lock is held while the channel is asked for an endpoint, never the other way around.
final class PickLine: Sendable {
    typealias Picked = (name: String, connection: RPCConnection, generation: UInt64)

    struct Call: Sendable {
        var attempt: NextAttempt
        var isStream: Bool
        /// It waits because there was no endpoint, not because all were full: endpoints keep room for others.
        var isOfOutage = false
        /// How long it waits while there is no endpoint; nil: as others do.
        var grace: Duration?

        /// Those that wait for the same.
        fileprivate var lane: Int { attempt.demand.isSuspect ? 2 : isOfOutage ? 1 : 0 }
        fileprivate var client: UInt64 { attempt.options.client.number }
    }

    /// When a call waits no longer, and what it is told then.
    struct Patience: Sendable {
        var deadline: Deadline
        var error: @Sendable () -> RPCError
    }

    private static let lanes = [0, 1, 2]

    private struct Waiter {
        let ticket: UInt64
        let call: Call
        let continuation: CheckedContinuation<Picked, any Error>
        let timer: Scheduled<Void>?

        func resume(with result: Result<Picked, RPCError>) {
            timer?.cancel()
            continuation.resume(with: result)
        }
    }

    private struct State {
        var line: FairLine
        /// By place in the line.
        var waiters: [Waiter?] = []
        /// By ticket.
        var places: [UInt64: Int] = [:]
        var lastTicket: UInt64 = 0

        /// What stood at a place that the line has given free.
        mutating func leave(_ place: Int) -> Waiter? {
            guard let waiter = waiters[place] else { return nil }
            waiters[place] = nil
            places[waiter.ticket] = nil
            if line.count == 0 { line.rest() }
            return waiter
        }

        func first(in lane: Int) -> Call? { line.first(in: lane).flatMap { waiters[$0]?.call } }

        /// The lane whose first has its turn.
        func next(of lanes: [Int]) -> Int? {
            lanes.filter { line.first(in: $0) != nil }.min { line.comes($0, before: $1) }
        }

        mutating func take(from lane: Int) -> Waiter? { line.take(from: lane).flatMap { leave($0) } }

        mutating func add(_ waiter: Waiter) {
            let place = line.add(client: waiter.call.client, lane: waiter.call.lane)
            while waiters.count <= place { waiters.append(nil) }
            waiters[place] = waiter
            places[waiter.ticket] = place
        }
    }

    /// For people.
    private let target: String
    private let limit: Int
    private let state: Mutex<State>

    init(target: String, limit: Int) {
        self.target = target
        self.limit = limit
        state = Mutex(State(line: FairLine(lanes: PickLine.lanes.count, maxClients: limit)))
    }

    var count: Int { state.withLock { $0.line.count } }

    /// The calls that do not wait for long while there is no endpoint.
    var graces: [(ticket: UInt64, grace: Duration)] {
        state.withLock { state in
            state.waiters.compactMap { waiter -> (ticket: UInt64, grace: Duration)? in
                guard let waiter, let grace = waiter.call.grace else { return nil }
                return (waiter.ticket, grace)
            }
        }
    }

    /// Suspends until `serve` has an endpoint for the call.
    /// - Parameters:
    ///   - loop: whose clock is used.
    ///   - stood: called once the call stands in the line, to look whether there is news.
    /// - Throws: `RPCError`: what `patience` says; RESOURCE_EXHAUSTED, `neverStarted`, if too many wait; CANCELLED.
    func wait(
        _ call: Call, until patience: Patience?, on loop: any EventLoop, stood: () -> Void
    ) async throws -> Picked {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        let cancelled = RPCError(.cancelled, "call was cancelled while it waited for an endpoint of \(target)")
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enter(call, ticket, until: patience, on: loop, continuation)
                if Task.isCancelled { fail(ticket, cancelled) }
                stood()
            }
        } onCancel: {
            fail(ticket, cancelled)
        }
    }

    private func enter(
        _ call: Call, _ ticket: UInt64, until patience: Patience?, on loop: any EventLoop,
        _ continuation: CheckedContinuation<Picked, any Error>
    ) {
        let refused = state.withLock { state -> Waiter? in
            // It may fire at once, and then waits for the lock.
            let timer = patience.map { patience in
                loop.scheduleTask(deadline: patience.deadline.instant) { [weak self] in
                    if let self { fail(ticket, patience.error()) }
                }
            }
            let waiter = Waiter(ticket: ticket, call: call, continuation: continuation, timer: timer)
            guard state.line.count >= limit else {
                state.add(waiter)
                return nil
            }
            guard state.line.mostWaiting > state.line.waiting(of: call.client) + 1,
                let displaced = state.line.removeNewest().flatMap({ state.leave($0) })
            else { return waiter }
            state.add(waiter)
            return displaced
        }
        refused?.resume(
            with: .failure(
                RPCError(
                    .resourceExhausted, "\(limit) calls wait for \(target), limit \(limit)", neverStarted: true,
                    limit: .waitingCalls)))
    }

    /// Gives endpoints to those whose turn it is, for as long as there are any.
    /// - Parameter pick: nil: there is none now for a call like this.
    func serve(_ pick: (Call) -> Picked?) {
        let served = state.withLock { state in
            var served: [(Waiter, Picked)] = []
            var lanes = Self.lanes
            while let lane = state.next(of: lanes) {
                if let call = state.first(in: lane), let picked = pick(call), let waiter = state.take(from: lane) {
                    served.append((waiter, picked))
                } else {
                    lanes.removeAll { $0 == lane }
                }
            }
            return served
        }
        for (waiter, picked) in served { waiter.resume(with: .success(picked)) }
    }

    /// Ends the wait of all.
    func fail(_ error: RPCError) {
        let all = state.withLock { state in
            state.waiters.indices.compactMap { place -> Waiter? in
                guard state.waiters[place] != nil else { return nil }
                state.line.remove(place)
                return state.leave(place)
            }
        }
        for waiter in all { waiter.resume(with: .failure(error)) }
    }

    /// Ends the wait of one, if it waits still.
    func fail(_ ticket: UInt64, _ error: @autoclosure () -> RPCError) {
        let waiter = state.withLock { state -> Waiter? in
            guard let place = state.places[ticket] else { return nil }
            state.line.remove(place)
            return state.leave(place)
        }
        waiter?.resume(with: .failure(error()))
    }
}
