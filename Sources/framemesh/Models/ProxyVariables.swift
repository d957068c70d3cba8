import AsyncHTTPClient
import Foundation

/// The proxy that https:// is asked through, in the variables of the environment that curl has made usual.
struct ProxyVariables: Sendable {
    /// Of a proxy whose address names none, as curl has it.
    static let defaultPort = 1080

    let environment: [String: String]

    /// - Returns: nil: none; the host itself is asked.
    /// - Throws: `Fatal` that names the variable; what it holds may have a password.
    func proxy(to host: String) throws(Fatal) -> HTTPClient.Configuration.Proxy? {
        guard !isExcepted(host.lowercased()) else { return nil }
        for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            guard let text = environment[name], !text.isEmpty else { continue }
            guard let proxy = Self.proxy(text) else {
                throw Fatal(
                    "\(name) is not [http://][USER:PASSWORD@]HOST[:PORT] or socks5://HOST[:PORT]", status: .usage)
            }
            return proxy
        }
        return nil
    }

    private static func proxy(_ text: String) -> HTTPClient.Configuration.Proxy? {
        guard let parts = URLComponents(string: text.contains("://") ? text : "http://\(text)"),
            let host = parts.host, !host.isEmpty
        else { return nil }
        let port = parts.port ?? defaultPort
        switch (parts.scheme?.lowercased(), parts.user) {
        case ("http", nil): return .server(host: host, port: port)
        case ("http", let user?):
            return .server(
                host: host, port: port, authorization: .basic(username: user, password: parts.password ?? ""))
        case ("socks5", nil), ("socks5h", nil): return .socksServer(host: host, port: port)
        default: return nil
        }
    }

    /// `no_proxy`: names of hosts and of domains, by commas or spaces, or `*`.
    private func isExcepted(_ host: String) -> Bool {
        let text = environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""
        return text.lowercased().split { $0 == "," || $0.isWhitespace }.contains { word in
            let name = word.hasPrefix(".") ? word.dropFirst() : word
            return name == "*" || host == name || host.hasSuffix(".\(name)")
        }
    }
}
