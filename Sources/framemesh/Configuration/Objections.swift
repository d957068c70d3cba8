/// All that is wrong with a configuration, so that it need not be mended one thing after the other.
///
///     var objections = Objections()
///     let port = objections.take { try settings.port() } ?? 8080
///     try objections.check()
struct Objections {
    private var all: [Fatal] = []

    /// - Returns: nil: it threw.
    @discardableResult
    mutating func take<Value>(_ body: () throws -> Value) -> Value? {
        do {
            return try body()
        } catch {
            all.append(Fatal(error))
            return nil
        }
    }

    /// Wrong usage.
    mutating func add(_ messages: [String]) { all += messages.map { Fatal($0, status: .usage) } }

    /// - Throws: `Fatal` that says all of it.
    func check() throws(Fatal) {
        guard var first = all.first else { return }
        first.more = all.dropFirst().map(\.description)
        if all.contains(where: { $0.status == .usage }) { first.status = .usage }
        throw first
    }
}
