import Foundation
import Jobs
import Results

extension JobTime {
    static var now: JobTime { JobTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) }

    var text: String { TimeText.rfc3339(milliseconds: milliseconds) }
}
