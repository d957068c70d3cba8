import HTTPTypes
import Metrics
import Synchronization

/// A number of places — of pictures at work, of uploads, of bytes in memory, of viewers — for all callers together, of which one may
/// have a share.
///
/// One rule for all of them: who finds no place is refused with 429 and the name of the limit, at once, and may come again.
/// 503 is for what the gateway itself is missing: a coordinator, nodes, its database.
///
///     let place = try uploads.take(for: context.caller.key)
///     defer { withExtendedLifetime(place) {} }
package final class Places: Sendable {
    package struct Share: Sendable {
        /// 0…1.
        var part: Double
        static let name = "caller-share"

        /// Of `count` places; at least one.
        func places(of count: Int) -> Int { max(1, Int((Double(count) * part).rounded(.up))) }
    }

    private struct State {
        var taken = 0
        var ofCaller: [Caller.Key: Int] = [:]
    }

    package let count: Int
    /// Of the limit.
    private let name: String
    /// For people: "videos on their way".
    private let what: String
    private let share: Share
    private let meter: Meter?
    private let state = Mutex(State())

    /// - Parameters:
    ///   - name: of the limit that `count` is.
    ///   - what: takes the places, in words.
    ///   - meter: shows how many are taken.
    init(_ count: Int, _ name: String, of what: String, share: Double, meter: Meter? = nil) {
        self.count = count
        self.name = name
        self.what = what
        self.share = Share(part: share)
        self.meter = meter
    }

    package var taken: Int { state.withLock { $0.taken } }

    /// - Parameter number: may be nothing yet: see `Place.add`.
    /// - Throws: `Problem`, 429.
    func take(_ number: Int = 1, for caller: Caller.Key) throws -> Place {
        let place = Place(self, caller)
        try place.add(number)
        return place
    }

    /// Places that are one caller's until the last reference goes.
    package final class Place: Sendable {
        private let places: Places
        private let caller: Caller.Key
        private let number = Mutex(0)

        fileprivate init(_ places: Places, _ caller: Caller.Key) {
            self.places = places
            self.caller = caller
        }

        deinit { places.giveBack(number.withLock { $0 }, of: caller) }

        /// - Throws: `Problem`, 429; then it has what it had before.
        func add(_ more: Int) throws {
            try places.add(more, for: caller)
            number.withLock { $0 += more }
        }
    }

    private func add(_ more: Int, for caller: Caller.Key) throws {
        let most = share.places(of: count)
        let excess = state.withLock { state -> (limit: (name: String, value: Double), number: Int, whose: String)? in
            let mine = state.ofCaller[caller, default: 0]
            guard state.taken + more <= count else { return ((name, Double(count)), count, "") }
            guard mine + more <= most else { return ((Share.name, share.part), most, " of one caller") }
            state.taken += more
            if mine + more > 0 { state.ofCaller[caller] = mine + more }
            return nil
        }
        if let excess {
            throw Problem(
                .tooManyRequests, "there are \(excess.number) \(what)\(excess.whose) at one time, and not more",
                limit: excess.limit
            ).retry(after: .seconds(1))
        }
        meter?.increment(by: Double(more))
    }

    private func giveBack(_ number: Int, of caller: Caller.Key) {
        state.withLock { state in
            state.taken -= number
            let rest = state.ofCaller[caller, default: 0] - number
            state.ofCaller[caller] = rest > 0 ? rest : nil
        }
        meter?.decrement(by: Double(number))
    }
}
