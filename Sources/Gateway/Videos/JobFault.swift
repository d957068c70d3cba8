import Jobs
import NIOCore
import RPC
import Video

/// Why a job fails for good: no other gateway would fare better.
struct JobFault: Error, CustomStringConvertible {
    /// For its owner. No paths, no addresses.
    let reason: String

    init(_ reason: String) { self.reason = reason }

    var description: String { reason }
}

/// What a job's work needs is not there now. It waits.
struct JobAbsence: Error, CustomStringConvertible {
    /// In plain words, for its owner.
    let waitingFor: String
    /// A frame was with the mesh when that was found out. It may be what nodes die of, so there is an end to it.
    var cameWithFrame = false

    var description: String { "there are no \(waitingFor)" }
}

extension JobRelease {
    /// What the job waits for after an error that is none of its faults.
    init(_ error: any Error) {
        switch error {
        case is CancellationError: self = .ending
        case let error as JobAbsence where error.cameWithFrame: self = .failed(waitingFor: error.waitingFor)
        case let error as JobAbsence: self = .absent(waitingFor: error.waitingFor)
        case let error as JobError: self = .absent(waitingFor: Self.room(error.code) ?? "the database")
        case let error as RPCError where error.code == .unavailable:
            self = .absent(waitingFor: "a coordinator or nodes")
        case let error as RPCError where error.code == .resourceExhausted:
            self = .failed(waitingFor: "room in the mesh")
        case is RPCError: self = .failed(waitingFor: "an answer of the mesh")
        case is IOError: self = .failed(waitingFor: "the gateway's disk")
        // What it died of may be this video all the same, so there is an end to it.
        case is VideoError: self = .failed(waitingFor: "its decoder or encoder")
        // `ClientError`, `Problem`: nobody is there.
        default: self = .absent(waitingFor: "a coordinator")
        }
    }

    /// What there is too little of; nil: it is not room.
    private static func room(_ code: JobError.Code) -> String? {
        switch code {
        case .full: "room on the disk"
        case .noRoom(let excess): "room (\(excess.limitName))"
        default: nil
        }
    }
}
