import Mesh
import Testing

@testable import Outbound

/// Whom we call because somebody asks us to.
@Suite struct OutboundTests {
    static let ports = ["http": 80, "rtsp": 554]

    private func url(_ text: String) throws -> OutboundURL { try OutboundURL(text, ports: Self.ports) }

    @Test func aURLIsTakenApart() throws {
        let found = try url("rtsp://user:pass@Cam.Example.org/live?x=1")
        #expect(found.host == "cam.example.org")
        #expect(found.port == 554)
        #expect(found.shown == "rtsp://cam.example.org/live?x=1")
        // In the log a key in the query is as good as a password.
        #expect(found.place == "rtsp://cam.example.org:554/live")
        #expect(try url("http://[2001:db8::7]:8080/A%2fb?key=1").place == "http://[2001:db8::7]:8080/A%2fb")
        // The one who calls it looks its address up by the host in the text.
        #expect(found.text == "rtsp://user:pass@cam.example.org/live?x=1")
        #expect(try url("http://[2001:DB8::7]:8080/A%2fb").text == "http://[2001:db8::7]:8080/A%2fb")
        #expect(try url("HTTP://Cam/Live").text == "http://cam/Live")
        #expect(try url("http://[2001:db8::7]:8080/").host == "2001:db8::7")
        #expect(try url("http://[2001:db8::7]:8080/").port == 8080)
    }

    @Test(arguments: [
        "", "cam", "file:///etc/passwd", "gopher://example.org/", "http://", "http:///x", "http://a b/",
        "http://a\\@b/",
        "http://a\nb/", "http://2130706433/", "http://127.1/", "http://0x7f000001/", "http://0x7f.0.0.1/",
        "http://0177.0.0.1/", "http://example.org:0/", "http://example.org:65536/", "http://example.org/#x",
        "http://exa%00mple.org/", "http://exämple.org/", "http://example.org./", "http://-%2d/", "concat:http://a/",
    ])
    func whatTwoReadersMayReadDifferentlyIsRefused(_ text: String) {
        #expect(throws: OutboundError.self) { try url(text) }
    }

    @Test func aURLHasALongestLength() throws {
        let most = "http://example.org/" + String(repeating: "a", count: OutboundURL.longest - 19)
        #expect(throws: Never.self) { try url(most) }
        #expect(throws: OutboundError.self) { try url(most + "a") }
    }

    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1",
        "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1", "::10.0.0.1", "2002:7f00:1::", "2001::1",
    ])
    func addressesThatAreNotForEverybodyAreKnown(_ text: String) throws {
        #expect(try #require(NetworkAddress(text)).isPublic == false)
    }

    @Test(arguments: ["8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])
    func othersArePublic(_ text: String) throws {
        #expect(try #require(NetworkAddress(text)).isPublic)
    }

    @Test func addressesAreWrittenAsTheyAreCalled() throws {
        #expect(try #require(NetworkAddress("::ffff:10.0.0.1")).with(port: 80) == "10.0.0.1:80")
        let address = try #require(NetworkAddress("2001:db8::7"))
        #expect(address.with(port: 554) == "[2001:db8:0:0:0:0:0:7]:554")
        #expect(NetworkAddress("example.org") == nil)
    }

    @Test func rangesEndWhereTheyEnd() throws {
        let range = try #require(AddressRange("10.1.2.128/25"))
        #expect(range.contains(try #require(NetworkAddress("10.1.2.128"))))
        #expect(range.contains(try #require(NetworkAddress("10.1.2.255"))))
        #expect(!range.contains(try #require(NetworkAddress("10.1.2.127"))))
        #expect(!range.contains(try #require(NetworkAddress("10.1.3.128"))))
        let all = try #require(AddressRange("0.0.0.0/0"))
        #expect(all.contains(try #require(NetworkAddress("1.2.3.4"))))
        #expect(!all.contains(try #require(NetworkAddress("2001:db8::1"))))
        for text in ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/x", "name/8"] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
    }

    @Test func nobodyIsCalledUnlessItIsSaid() throws {
        let rule = OutboundRule.nobody
        #expect(!rule.isOn)
        #expect(throws: OutboundError.self) { try rule.check(url("http://example.org/")) }
        #expect(throws: OutboundError.self) { try rule.check(url("http://8.8.8.8/")) }
    }

    @Test func whoCallsOnHisOwnAccountMayCallAnybody() async throws {
        let rule = OutboundRule.anybody(dns: DNSConfiguration())
        #expect(rule.isOn)
        #expect(try await rule.addresses(of: url("http://10.1.2.3/")).map(\.description) == ["10.1.2.3"])
        let here = try await rule.addresses(of: url("http://localhost:80/")).map(\.description)
        #expect(!here.isEmpty && here.allSatisfy { ["127.0.0.1", "0:0:0:0:0:0:0:1"].contains($0) })
        #expect(throws: OutboundError.self) { try rule.choose([], of: "cam") }
    }

    @Test func patternsAreForNamesAndRangesForAddresses() throws {
        let rule = try OutboundRule(allow: ["*.Example.org", "cam-*", "192.168.7.0/24"])
        for text in ["http://a.example.org/", "http://a.b.example.org/", "rtsp://cam-7/", "http://192.168.7.9/"] {
            #expect(throws: Never.self, "\(text)") { try rule.check(url(text)) }
        }
        for text in [
            "http://example.org/", "http://example.org.evil.net/", "http://evil.net/?a.example.org",
            "http://a.example.org@evil.net/", "http://192.168.8.1/", "http://[::ffff:192.168.8.1]/", "http://xcam-7/",
        ] {
            #expect(throws: OutboundError.self, "\(text)") { try rule.check(url(text)) }
        }
        // A pattern for everything is one for names.
        let names = try OutboundRule(allow: ["*"])
        #expect(throws: OutboundError.self) { try names.check(url("http://127.0.0.1/")) }
        #expect(throws: Never.self) { try names.check(url("http://localhost/")) }
        for text in ["", "a/b", "http://a", "a b", "a,b", "10.0.0.0/99"] {
            #expect(throws: OutboundError.self, "\(text)") { try OutboundRule(allow: [text]) }
        }
    }

    @Test func whoMayNotBeCalledIsToldWhatWouldAllowIt() throws {
        let ranges = try OutboundRule(allow: ["127.0.0.0/8"])
        let name = #expect(throws: OutboundError.self) { try ranges.check(url("http://localhost/")) }
        #expect(name?.message.contains("names are by hosts and patterns, such as localhost or *.example.org") == true)
        let names = try OutboundRule(allow: ["localhost"])
        let address = #expect(throws: OutboundError.self) { try names.check(url("http://127.0.0.1/")) }
        #expect(address?.message.contains("addresses are by ranges, such as 192.168.7.0/24") == true)
    }

    /// DNS rebinding: the name is allowed, what it means is not.
    @Test func aPermittedNameLeadsToNoPrivateAddress() async throws {
        let names = try OutboundRule(allow: ["localhost"])
        let error = await #expect(throws: OutboundError.self) {
            try await names.addresses(of: url("http://localhost:80/"))
        }
        #expect(error?.isForbidden == true)
        #expect(error?.message.contains("127.0.0.1") == false)
        let both = try OutboundRule(allow: ["localhost", "127.0.0.0/8", "::1"])
        let addresses = try await both.addresses(of: url("http://localhost:80/"))
        #expect(!addresses.isEmpty)
        #expect(addresses.allSatisfy { ["127.0.0.1", "0:0:0:0:0:0:0:1"].contains($0.description) })
    }

    @Test func oneForbiddenAddressAmongManyIsEnough() throws {
        let rule = try OutboundRule(allow: ["*", "10.0.0.0/8"])
        let mixed = try ["8.8.8.8", "169.254.169.254"].map { try #require(NetworkAddress($0)) }
        #expect(throws: OutboundError.self) { try rule.choose(mixed, of: "cam") }
        let fine = try ["10.2.3.4", "8.8.8.8"].map { try #require(NetworkAddress($0)) }
        #expect(try rule.choose(fine, of: "cam") == fine)
        // One name does not have a whole network called.
        let many = (1...100).compactMap { NetworkAddress("10.0.0.\($0)") }
        #expect(try rule.choose(many, of: "cam") == Array(many.prefix(OutboundRule.mostAddresses)))
        let none = #expect(throws: OutboundError.self) { try rule.choose([], of: "cam") }
        #expect(none?.isForbidden == false)
    }
}
