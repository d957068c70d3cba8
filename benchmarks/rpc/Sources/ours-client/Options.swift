import Foundation

/// What the load is; `usage` says what each option means.
struct Options {
    var host = "127.0.0.1"
    var port = 0
    var path = "/bench.Bench/Sync"
    var connections = 1
    /// Calls in flight on each connection.
    var outstanding = 1
    var threads = 1
    /// Of the message of each request.
    var bytes = 64
    /// Of its attachment; nil: a plain message.
    var attachment: Int?
    /// Not measured: connections warm up.
    var warmUp = 1.0
    var seconds = 5.0
    /// Calls in all, instead of `seconds`.
    var count: Int?
    /// Connections without a channel around them.
    var isBare = false
    /// Callers run on the event loop of their connection, if it is bare.
    var onLoop = false
    /// TCP's congestion control; nil: the kernel's default.
    var congestion: String?
    /// Milliseconds between two small calls on the first connection while the load runs; 0: none.
    var probe = 0
    /// What the small calls ask, with an empty message; nil: the path of the load.
    var probePath: String?

    static let usage = """
        usage: ours-client --port N [options]
          --host H --path P --threads N (event loops) --congestion NAME (TCP's congestion control)
          --bare 1 (connections without a channel: no retries, no interceptor)
          --on-loop 1 (callers run on the event loop of their bare connection)
          --connections N --outstanding N (per connection)
          --bytes N (message) --attachment N (bytes beside it)
          --warm-up S --seconds S | --count N (calls in all)
          --probe MS (a small call every MS milliseconds on the first connection; its latency is reported too)
          --probe-path P (of these calls; then their message is empty)

        """

    init(_ arguments: some Collection<String>) {
        var rest = arguments.makeIterator()
        while let name = rest.next() {
            guard let value = rest.next() else { Self.fail("\(name) needs a value") }
            switch (name, Int(value), Double(value)) {
            case ("--host", _, _): host = value
            case ("--path", _, _): path = value
            case ("--probe-path", _, _): probePath = value
            case ("--congestion", _, _): congestion = value
            case ("--bare", let number?, _): isBare = number != 0
            case ("--on-loop", let number?, _): onLoop = number != 0
            case ("--port", let number?, _): port = number
            case ("--threads", let number?, _) where number > 0: threads = number
            case ("--connections", let number?, _) where number > 0: connections = number
            case ("--outstanding", let number?, _) where number > 0: outstanding = number
            case ("--bytes", let number?, _) where number >= 0: bytes = number
            case ("--attachment", let number?, _) where number >= 0: attachment = number
            case ("--count", let number?, _) where number > 0: count = number
            case ("--probe", let number?, _) where number >= 0: probe = number
            case ("--warm-up", _, let number?) where number >= 0: warmUp = number
            case ("--seconds", _, let number?) where number > 0: seconds = number
            default: Self.fail("\(name) \(value) is not known")
            }
        }
        if port == 0 { Self.fail("--port is needed") }
    }

    private static func fail(_ trouble: String) -> Never {
        FileHandle.standardError.write(Data("\(trouble)\n\(usage)".utf8))
        exit(64)
    }
}
