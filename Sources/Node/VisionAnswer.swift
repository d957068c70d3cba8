import Messages
import NIOCore
import RPC
import Vision

/// What one stage made of one request. Its times are those of the whole batch: every request of it waits for all of that.
struct StageAnswer<Output: Sendable>: Sendable {
    var output: Output
    var times: StageTimes
}

/// What a worker knows of one request when it is done.
struct VisionAnswer: Sendable {
    /// Of the picture as displayed, pixels.
    var width: Int
    var height: Int
    /// Of the whole batch.
    var decode: TimeAmount
    /// nil: that was not asked for. A failure stands here only beside an answer of the other stage.
    var detect: Result<StageAnswer<[Detection]>, RPCError>?
    /// Classes of each input. nil: that was not asked for, or there was no box.
    var classify: Result<StageAnswer<[[Classification]]>, RPCError>?
    /// Time in which both stages ran at once, on two workers: what their times count twice.
    var overlap = TimeAmount.zero
    /// Which detection each input of the classifier was, by index, where boxes that were found are classified.
    var boxes: [Int] = []

    /// One stage has an answer, and the other a failure.
    var isPartial: Bool {
        if case .failure? = detect { return true }
        if case .failure? = classify { return true }
        return false
    }

    /// Of the stages that have an answer.
    var times: [(stage: String, times: StageTimes)] {
        var times: [(stage: String, times: StageTimes)] = []
        if case .success(let answer)? = detect { times.append(("detect", answer.times)) }
        if case .success(let answer)? = classify { times.append(("classify", answer.times)) }
        return times
    }
}

extension StageTimes {
    var total: TimeAmount {
        .nanoseconds(clamping: (Double(preprocess) + Double(infer) + Double(postprocess)) * 1000)
    }

    mutating func add(_ other: StageTimes) {
        preprocess &+= other.preprocess
        infer &+= other.infer
        postprocess &+= other.postprocess
    }
}

extension RPCError {
    /// A bad picture is its sender's fault, all else is ours.
    init(_ error: VisionError) {
        self.init(error.kind == .badPicture ? .invalidArgument : .internal, error.message, cause: error)
    }
}
