public import RPC

/// Who is asked for names, and for how long.
public struct DNSConfiguration: Sendable {
    /// Empty: those of /etc/resolv.conf. Its search domains, and /etc/hosts, count with both.
    public var servers: [DNSServer] = []
    /// Of the first question to a server; each try after it has twice as long.
    public var tryTimeout: Duration = .milliseconds(800)
    /// Of each server.
    public var tries = 3
    /// A whole look-up ends by then, whatever it consists of: for `srv:///`, the services and each of their hosts.
    public var lookUpTimeout: Duration = .seconds(5)
    /// Questions of one look-up that wait for their answer at one time.
    public var maxQuestions = 32

    public init() {}

    public static let limits: [Limit<DNSConfiguration>] = [
        Limit("dns-try-timeout", \.tryTimeout, in: .milliseconds(1) ... .seconds(60), "The first try of a question."),
        Limit("dns-tries", \.tries, .count, in: 1...10, "Questions to each DNS server, until one is answered."),
        Limit(
            "dns-look-up-timeout", \.lookUpTimeout, in: .milliseconds(1) ... .seconds(600),
            "A whole look-up, whatever it consists of."),
        Limit(
            "max-dns-questions", \.maxQuestions, .count, in: 1...1024,
            "Questions of a look-up that wait for an answer at one time."),
    ]
}
