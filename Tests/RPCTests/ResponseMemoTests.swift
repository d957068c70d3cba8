import HTTP2
import Testing

@testable import RPC

@Suite struct ResponseMemoTests {
    private static func fields(_ pairs: (String, String)...) -> HeaderFields {
        HeaderFields(pairs.map { HeaderField($0.0, $0.1) })
    }

    @Test func theSameHeadMeansTheSame() throws {
        var memo = ResponseMemo(maxMetadata: 128)
        for _ in 1...3 {
            let fields = Self.fields((":status", "200"), ("content-type", "application/grpc"), ("color", "red"))
            let head = memo.head(fields)
            #expect(head != nil)
            #expect(head?.trouble == nil)
            #expect(try head?.metadata.get() == ["color": "red"])
        }
    }

    @Test func anotherHeadIsReadAnew() throws {
        var memo = ResponseMemo(maxMetadata: 128)
        _ = memo.head(Self.fields((":status", "200"), ("content-type", "application/grpc"), ("color", "red")))
        let blue = memo.head(Self.fields((":status", "200"), ("content-type", "application/grpc"), ("color", "blu")))
        #expect(try blue?.metadata.get() == ["color": "blu"])
        let broken = memo.head(Self.fields((":status", "503"), ("content-type", "application/grpc"), ("color", "blu")))
        #expect(broken?.trouble?.code == .unavailable)
    }

    @Test func trailersAreNoHead() {
        var memo = ResponseMemo(maxMetadata: 128)
        let ok = Self.fields(("grpc-status", "0"))
        #expect(memo.head(ok) == nil)
        #expect(memo.trailers(ok).error == nil)
        #expect(memo.trailers(ok).error == nil)
        #expect(memo.trailers(Self.fields(("grpc-status", "5"))).error?.code == .notFound)
        #expect(memo.trailers(Self.fields(("grpc-status", "0"), ("a", "b"))).trailers == ["a": "b"])
    }
}

@Suite struct RequestHeadsTests {
    @Test func aPathIsPreparedOnceAndAttachmentsApart() {
        var heads = RequestHeads(scheme: "http", authority: "host", userAgent: "a/1", acceptedEncodings: nil)
        let plain = heads.prepared("/a/B", attachments: false)
        #expect(plain != nil)
        #expect(heads.prepared("/a/C", attachments: false) !== plain)
        #expect(heads.prepared("/a/B", attachments: false) === plain)
        #expect(heads.prepared("/a/B", attachments: true) !== plain)
    }

    @Test func pathsWithoutEndAreNotKept() {
        var heads = RequestHeads(scheme: "http", authority: "host", userAgent: "a/1", acceptedEncodings: nil)
        for index in 0..<64 { #expect(heads.prepared("/a/\(index)", attachments: false) != nil) }
        #expect(heads.prepared("/a/64", attachments: false) == nil)
        #expect(heads.prepared("/a/0", attachments: false) != nil)
        #expect(heads.fields("/a/64", attachments: false).contains(HeaderField(":path", "/a/64")))
    }
}
