/// Where the time of calls went in the client. Means, milliseconds.
package struct ClientSplit: Sendable, Codable, Equatable {
    /// Writing requests down.
    package var send = 0.0
    /// Until the answer was here.
    package var wait = 0.0
    /// Reading answers.
    package var receive = 0.0

    package init() {}
}

/// Adds up the times of many calls.
struct ClientSplitSum: Sendable {
    private var sum = ClientSplit()
    private var calls = 0.0

    mutating func add(_ times: ClientTimes) {
        calls += 1
        sum.send += times.send / .milliseconds(1)
        sum.wait += times.wait / .milliseconds(1)
        sum.receive += times.receive / .milliseconds(1)
    }

    mutating func add(_ other: ClientSplitSum) {
        calls += other.calls
        sum.send += other.sum.send
        sum.wait += other.sum.wait
        sum.receive += other.sum.receive
    }

    /// nil: of no call anything is known, as in streams.
    var means: ClientSplit? {
        guard calls > 0 else { return nil }
        var means = sum
        means.send /= calls
        means.wait /= calls
        means.receive /= calls
        return means
    }
}
