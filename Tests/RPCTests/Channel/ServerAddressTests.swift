import Testing

@testable import RPC

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("10.0.0.7:50051", "10.0.0.7:50051"), ("[::1]:50051", "[::1]:50051"), ("till.shop:1", "till.shop:1"),
        ("unix:/run/x.sock", "unix:/run/x.sock"), ("unix:///run/x.sock", "unix:/run/x.sock"),
        ("unix:x.sock", "unix:x.sock"),
    ])
    func anAddressIsReadAndWritten(_ text: String, _ readable: String) throws {
        #expect(try ServerAddress(parsing: text).description == readable)
    }

    @Test(arguments: [
        "", ":1", "a", "a:", "a:b", "a:65536", "a:-1", "::1:5", "unix:", "10.0.0.7", "1.2.3.4.5:1", "127.1:80", "a.7:1",
    ])
    func whatIsNoneIsSaid(_ text: String) {
        let error = #expect(throws: RPCError.self) { try ServerAddress(parsing: text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("'\(text)'") == true)
    }
}
