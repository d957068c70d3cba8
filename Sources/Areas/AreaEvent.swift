/// Something that happened at a zone or line.
package struct AreaEvent: Sendable, Hashable, Encodable {
    package enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        /// A track is in a zone, and was not before; also one that appears there.
        case enter
        /// A track is not in a zone any more, or not to be seen any more; `seconds` is how long it stayed.
        case leave
        /// A track crossed a line; `count` is how many did so in that direction, this one included.
        case cross
        /// A track has been in a zone for as long as the zone asks for; told once a stay.
        case dwell
        /// The number of objects in a zone is another one: `count`. It has no label.
        case count
    }

    package var kind: Kind
    /// Name of the zone or line.
    package var area: String
    package var trackID: UInt64?
    package var label: String?
    /// The frame's capture time, milliseconds.
    package var atMilliseconds: Int64
    /// Of the frame.
    package var sequence: UInt64
    package var direction: Line.Direction?
    package var count: Int?
    package var seconds: Double?

    private enum CodingKeys: String, CodingKey {
        case kind = "type"
        case area
        case trackID = "track_id"
        case label
        case atMilliseconds = "at_ms"
        case sequence, direction, count, seconds
    }
}
