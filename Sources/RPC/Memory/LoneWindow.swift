/// The window of a connection's new streams: wide while large messages come one at a time, else narrow.
///
/// Who sends one large message a call, one at a time, fills a narrow window before the first credit comes, and stops. Who sends several has
/// the windows of the others meanwhile; wide ones would only spread the connection's bytes over more memory. gRPC's
/// implementations change their windows as well, by what they measure of the line. A value of the connection's loop.
struct LoneWindow {
    /// Large messages, one at a time, before the window is widened. Each time that others come all the same it takes
    /// `growth` times as many, up to `longestPatience`, so that SETTINGS are seldom.
    static let firstPatience = 8
    static let growth = 4
    static let longestPatience = 8192

    private let narrow: Int
    /// nil: never.
    private let wide: Int?
    private var patience = firstPatience
    private(set) var isWide = false

    init(narrow: Int, wide: Int?) {
        self.narrow = narrow
        self.wide = wide.flatMap { $0 > narrow ? $0 : nil }
    }

    /// - Parameters:
    ///   - aloneInARow: as of `LargeIntake`.
    ///   - mayWiden: there is memory for it; asked only when it comes to that.
    /// - Returns: the window that the peer is to be told of; nil: it stays.
    mutating func change(aloneInARow: Int, mayWiden: () -> Bool) -> Int? {
        guard let wide else { return nil }
        if isWide {
            guard aloneInARow == 0 else { return nil }
            isWide = false
            patience = min(patience * Self.growth, Self.longestPatience)
            return narrow
        }
        guard aloneInARow >= patience, mayWiden() else { return nil }
        isWide = true
        return wide
    }
}
