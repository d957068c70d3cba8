import Foundation
import Jobs

extension JobTime {
    static var now: JobTime { JobTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) }

    /// RFC 3339, UTC, to the millisecond.
    var text: String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            .formatted(
                .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
    }
}
