import AsyncHTTPClient
import Testing

@testable import framemesh

@Suite struct ProxyVariablesTests {
    private func proxy(_ environment: [String: String]) throws -> HTTPClient.Configuration.Proxy? {
        try ProxyVariables(environment: environment).proxy(to: "Models.example.org")
    }

    @Test func withoutVariablesThereIsNone() throws {
        #expect(try proxy([:]) == nil)
        #expect(try proxy(["https_proxy": "", "http_proxy": "http://a:1", "HTTP_PROXY": "http://a:1"]) == nil)
    }

    @Test(arguments: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
    func eachVariableCounts(_ name: String) throws {
        #expect(try proxy([name: "http://proxy.example:3128"]) == .server(host: "proxy.example", port: 3128))
    }

    @Test func theOneForHTTPSComesFirst() throws {
        let both = ["all_proxy": "a:1", "https_proxy": "b:2"]
        #expect(try proxy(both) == .server(host: "b", port: 2))
    }

    @Test func aHostAloneIsAnHTTPProxy() throws {
        #expect(try proxy(["https_proxy": "10.0.0.1"]) == .server(host: "10.0.0.1", port: ProxyVariables.defaultPort))
    }

    @Test func nameAndPasswordAreTaken() throws {
        let expected = HTTPClient.Configuration.Proxy.server(
            host: "a", port: 1, authorization: .basic(username: "me", password: "p@ss"))
        #expect(try proxy(["https_proxy": "http://me:p%40ss@a:1"]) == expected)
    }

    @Test func socksIsTaken() throws {
        #expect(try proxy(["all_proxy": "socks5h://a"]) == .socksServer(host: "a", port: ProxyVariables.defaultPort))
    }

    @Test(arguments: ["https://a:1", "ftp://a", "http://", "socks5://me:word@a"])
    func whatCannotBeUsedIsAnErrorThatNamesTheVariableAlone(_ text: String) {
        let error = #expect(throws: Fatal.self) { try proxy(["https_proxy": text]) }
        #expect(error?.description.hasPrefix("https_proxy is not") == true)
        #expect(error?.status == .usage && error?.description.contains("word@") == false)
    }

    @Test(arguments: [
        "*", "example.org", ".example.org", "models.EXAMPLE.org", "localhost, example.org", "a example.org",
    ])
    func hostsMayBeExcepted(_ list: String) throws {
        #expect(try proxy(["https_proxy": "a:1", "no_proxy": list]) == nil)
        #expect(try proxy(["https_proxy": "a:1", "NO_PROXY": list]) == nil)
    }

    @Test(arguments: ["", "ample.org", "org.example", "other.example.org"])
    func otherHostsAreNot(_ list: String) throws {
        #expect(try proxy(["https_proxy": "a:1", "no_proxy": list]) != nil)
    }
}
