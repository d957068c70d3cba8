/// A video that somebody wants analysed, and how far that is.
///
///     queued ──claim──▶ running ──finish──▶ done
///       ▲                 │ │                 or failed
///       └────release──────┘ └──cancel──▶ cancelled ◀──cancel── queued
///
/// A running job whose lease is over can be claimed again; the work goes on behind the last recorded frame. From every state
/// a job may become `deleting`: nobody sees it any more, and its results go piece by piece, then itself. The transitions
/// (`Job+Transitions.swift`) are decided here; `JobStore` runs each in a transaction.
package struct Job: Sendable, Hashable {
    package let id: JobID
    /// The principal who made it.
    package let owner: String
    /// As the user calls it. Never a path.
    package var name: String
    package var request: Request
    package var createdAt: JobTime
    package var startedAt: JobTime?
    package var finishedAt: JobTime?
    /// When it and its files may be removed. Counts once it has ended: what is still to be done does not expire.
    package var expiresAt: JobTime
    /// Of the files that are kept for it.
    package var storedBytes: Int64
    /// Room for files that a gateway writes; nothing once nobody works on it.
    package internal(set) var reservedBytes: Int64 = 0
    /// All its frames have results, and its annotated video is drawn: room for a file is taken for that alone.
    package var isAnnotating: Bool { state == .running && reservedBytes > 0 }
    /// Of its results, with what each takes beside its body.
    package internal(set) var resultBytes: Int64 = 0
    package var state = JobState.queued
    /// Why, where the state is `failed`.
    package var error = ""
    package internal(set) var video: Video
    package var progress = JobProgress()
    /// What the work on it waits for, in plain words; empty: nothing keeps it.
    package internal(set) var waitingFor = ""
    /// While it waits, it is not claimed before.
    package internal(set) var notBefore = JobTime(milliseconds: 0)
    /// The lease in force; nil: nobody works on it.
    package var lease: Lease?
    /// When that was claimed or renewed last.
    var leasedAt: JobTime?
    /// Of the last lease there was.
    package var leaseNumber: Int64 = 0
    /// Claims since a frame was recorded last, without those that only found the mesh or the database gone.
    package var fruitlessClaims: Int64 = 0
    /// How long gateways have worked on it, all in all, milliseconds. Of one that died, at most the time of its lease.
    package var worked: Int64 = 0

    /// What is to be done.
    package struct Request: Sendable, Hashable {
        package var pipeline: String
        /// 0: the model's own.
        package var minConfidence: Double
        /// Write the video again with what was found drawn on it.
        package var annotate: Bool
        /// Zones and lines in the gateway's JSON; empty: none.
        package var areas: String

        package init(pipeline: String, minConfidence: Double = 0, annotate: Bool = false, areas: String = "") {
            self.pipeline = pipeline
            self.minConfidence = minConfidence
            self.annotate = annotate
            self.areas = areas
        }
    }

    /// What the file says of itself.
    package struct Video: Sendable, Hashable {
        package var width: Int64
        package var height: Int64
        /// Frames a second; 0 where unknown.
        package var frameRate: Double
        /// Milliseconds. Of a file that does not say it, the time of its last frame once the job is done; nil before.
        package var duration: Int64?

        package init(width: Int64, height: Int64, frameRate: Double, duration: Int64? = nil) {
            self.width = width
            self.height = height
            self.frameRate = frameRate
            self.duration = duration
        }
    }

    package init(
        id: JobID, owner: String, name: String, request: Request, video: Video, framesTotal: Int64? = nil,
        createdAt: JobTime,
        expiresAt: JobTime, storedBytes: Int64
    ) {
        self.id = id
        self.owner = owner
        self.name = name
        self.request = request
        self.video = video
        progress.framesTotal = framesTotal
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.storedBytes = storedBytes
    }
}

package enum JobState: String, Sendable, CaseIterable {
    case queued, running, done, failed, cancelled
    /// Removed for all who ask; its results are on their way out.
    case deleting

    /// Nobody works on it any more.
    package var isFinal: Bool { self != .queued && self != .running }

    /// Those that users see, as a list in SQL. A state that only a newer version knows is none of them: to this one, such
    /// a job is not there.
    static let seen = "(\(allCases.filter { $0 != .deleting }.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
}
