import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport

@testable import Gateway

/// A viewer of server-sent events.
struct EventReader: AsyncSequence, AsyncIteratorProtocol {
    struct Event {
        var id: String?
        var name: String
        var data: String

        func json() throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any] ?? [:]
        }
    }

    let status: Int
    private var body: HTTPClientResponse.Body.AsyncIterator
    private var text = ""

    /// - Parameter client: one that takes as many connections to a host as there are viewers.
    init(
        _ url: String, lastEventID: String? = nil, headers: [String: String] = [:], client: HTTPClient = .shared
    ) async throws {
        var request = HTTPClientRequest(url: url)
        if let lastEventID { request.headers.add(name: "last-event-id", value: lastEventID) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await client.execute(request, timeout: .seconds(300))
        status = Int(response.status.code)
        body = response.body.makeAsyncIterator()
    }

    func makeAsyncIterator() -> EventReader { self }

    mutating func next() async throws -> Event? {
        while true {
            while let end = text.firstRange(of: "\n\n") {
                let lines = text[..<end.lowerBound].split(separator: "\n")
                text.removeSubrange(..<end.upperBound)
                func field(_ name: String) -> String? {
                    lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
                }
                if let name = field("event") {
                    return Event(id: field("id"), name: name, data: field("data") ?? "")
                }
            }
            guard let bytes = try await body.next() else { return nil }
            text += String(decoding: bytes.readableBytesView, as: UTF8.self)
        }
    }

    /// The next event that is wanted.
    mutating func first(where isWanted: (Event) throws -> Bool) async throws -> Event {
        while let event = try await next() {
            if try isWanted(event) { return event }
        }
        throw TestSupport.Failure("the events ended")
    }
}
