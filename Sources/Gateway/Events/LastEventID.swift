import HTTPTypes
import Hummingbird

extension Request {
    /// Digits.
    private static var longestEventID: Int { 18 }

    /// The event that somebody who comes back has seen last; nil: there is none. Ids are numbers, of all kinds of events.
    /// - Throws: `Problem`, 400.
    func lastEventID() throws -> Int64? {
        guard let text = headers[HTTPField.Name("Last-Event-ID")!] else { return nil }
        guard (1...Self.longestEventID).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let last = Int64(text)
        else {
            throw Problem(.badRequest, "'\(text.prefix(64))' is not the id of an event", field: "Last-Event-ID")
        }
        return last
    }
}
