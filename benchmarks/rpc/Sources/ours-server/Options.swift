import Foundation
import RPC

/// `--host`, `--port` (0: any), `--threads` (event loops), `--max-message` and `--memory-budget` (bytes),
/// `--congestion` (TCP's congestion control; without it the kernel's default), `--connection-window` (bytes).
struct Options {
    var host = "127.0.0.1"
    var port = 0
    var threads = 1
    var maxMessageBytes = 64 << 20
    var congestion: String?
    var connectionWindowBytes: Int?
    var memoryBudget = MemoryBudget.defaultLimit

    init(_ arguments: some Collection<String>) {
        var rest = arguments.makeIterator()
        while let name = rest.next() {
            guard let value = rest.next() else { Self.usage("\(name) needs a value") }
            switch (name, Int(value)) {
            case ("--host", _): host = value
            case ("--congestion", _): congestion = value
            case ("--connection-window", let number?) where number > 0: connectionWindowBytes = number
            case ("--port", let number?): port = number
            case ("--threads", let number?) where number > 0: threads = number
            case ("--max-message", let number?) where number > 0: maxMessageBytes = number
            case ("--memory-budget", let number?) where number > 0: memoryBudget = number
            default: Self.usage("\(name) \(value) is not known")
            }
        }
    }

    private static func usage(_ trouble: String) -> Never {
        let usage = """
            usage: ours-server [--host H] [--port N] [--threads N] [--max-message BYTES] [--memory-budget BYTES]
              [--congestion NAME] [--connection-window BYTES]
            """
        FileHandle.standardError.write(Data("\(trouble)\n\(usage)\n".utf8))
        exit(64)
    }
}
