import Testing

@testable import Gateway

@Suite struct VideoFolderTests {
    @Test func whyItCannotBeMadeIsSaid() {
        #expect {
            _ = try VideoFolder(in: "/etc/passwd")
        } throws: {
            ($0 as? GatewayError)?.message == "cannot make the folder /etc/passwd/videos: not a directory"
        }
    }
}
