/// A live stream that goes on when its gateway is started again, or has died and another one is there.
package struct StoredStream: Sendable, Hashable {
    package let id: String
    package let owner: String
    /// What was asked for, in the gateway's words; a URL's password is in it.
    package let request: String
    /// Zones and lines that were set later, in the gateway's words; empty: those of the request.
    package var areas: String
    package let createdAt: JobTime

    package init(id: String, owner: String, request: String, areas: String = "", createdAt: JobTime) {
        self.id = id
        self.owner = owner
        self.request = request
        self.areas = areas
        self.createdAt = createdAt
    }

    static let columns = "id, owner, request, areas, created_at"

    var values: [SQLValue] {
        [.text(id), .text(owner), .text(request), .text(areas), .integer(createdAt.milliseconds)]
    }

    init(_ row: SQLRow) throws(JobError) {
        var row = row
        id = try row.text()
        owner = try row.text()
        request = try row.text()
        areas = try row.text()
        createdAt = JobTime(milliseconds: try row.integer())
    }
}
