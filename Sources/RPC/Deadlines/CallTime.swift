/// How much time a call has whose attempt has less: told to the server beside `grpc-timeout`, which is the attempt's.
///
/// A server that serves first what is due first would else serve the last attempts of calls, which have all the time that is left,
/// after the first ones of all that come later, and under overload these never end. It is told as a share of the attempt's time, in
/// percent, which is the same for nearly all attempts: a field that changed with each call would have to be sent and read each time.
enum CallTime {
    static let field = "framemesh-call-time"
    /// An attempt has at least half of what its call has left.
    private static let percents = 100.0...200.0

    /// - Parameters:
    ///   - call: what the call has left.
    ///   - attempt: of this.
    static func tell(_ call: Duration, of attempt: Duration, in metadata: inout Metadata) {
        let percent = min(max(call / attempt * 100, percents.lowerBound), percents.upperBound)
        metadata.add(field, "\(Int(percent.rounded()))")
    }

    /// Times the attempt's; nil: it does not say, or says what cannot be.
    static func told(in metadata: Metadata) -> Double? {
        guard !metadata.isEmpty, let percent = metadata[field].flatMap(Int.init).map(Double.init),
            percents.contains(percent)
        else { return nil }
        return percent / 100
    }
}

extension CallContext {
    /// When the call is due that this is an attempt of: `deadline`, or after it where another attempt may follow. For order alone:
    /// nobody waits for the answer of this attempt beyond `deadline`.
    public var callDeadline: Deadline? {
        guard let deadline, let times = CallTime.told(in: metadata) else { return deadline }
        return .after(deadline.remaining * times)
    }
}
