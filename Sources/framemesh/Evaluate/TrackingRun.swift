import Evaluation
import Foundation
import Messages
import RPC
import Results
import Tracking
import Vision

/// A detector and the tracker on videos of the MOT Challenge.
struct TrackingRun: Sendable {
    /// The tracker looks at no weaker box.
    static let leastConfidence = Tracker.Configuration().lowConfidenceFloor

    let videos: [Dataset.VideoFolder]
    let minConfidence: Float
    /// Followed alone; empty: all.
    let labels: [String]

    func report(_ work: PictureWork?, predictions: String?, output: String?) async throws -> EvaluationReport {
        if let work {
            guard work.model.task == .detection else {
                throw Fatal("model \(work.model.name) is no detector, and the data set is videos", status: .usage)
            }
            let known = try work.labels()
            if let unknown = labels.first(where: { !known.contains($0) }) {
                throw Fatal("model \(work.model.name) has no class '\(unknown)'", status: .usage)
            }
        }
        if let output {
            do {
                try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
            } catch {
                throw Fatal("cannot make the directory \(output): \(SystemError.text(error))", status: .usage)
            }
        }
        var all = TrackingScore()
        var rows: [EvaluationReport.Row] = []
        for video in videos {
            try Task.checkCancellation()
            let truth = try Dataset.parsing(video.truth) {
                try MOTSequence(text: try Dataset.text(video.truth), isTruth: true)
            }
            let path = "\(predictions ?? output ?? "")/\(video.name).txt"
            let found =
                predictions == nil ? try await tracks(of: video, work, upTo: truth.lastFrame) : try Dataset.text(path)
            if output != nil { try Dataset.write(Data(found.utf8), to: path) }
            let tracks = try Dataset.parsing(path) { try MOTSequence(text: found, isTruth: false) }
            let score = TrackingScore(tracks, against: truth)
            all += score
            rows.append(EvaluationReport.Row(name: video.name, scores: Self.scores(score)))
        }
        let what = work.map { "\($0.model.name) (\($0.engine.rawValue)) and the tracker" } ?? "\(predictions ?? "")"
        return EvaluationReport(
            summary: """
                \(what): \(Count.of(videos.count, "video")), \(Count.of(all.frames, "frame")), \
                \(Count.of(all.objects, "true box", many: "true boxes"))
                """,
            scores: Self.scores(all), rowsKey: "videos", rows: rows)
    }

    /// As text of the MOT Challenge.
    /// - Parameter last: the last frame of which the truth is known.
    private func tracks(
        of video: Dataset.VideoFolder, _ work: PictureWork?, upTo last: Int
    ) async throws -> String {
        guard let work else { return "" }
        let info =
            Dataset.isFile(video.info)
            ? try Dataset.parsing(video.info) { try SequenceInfo(text: try Dataset.text(video.info)) } : SequenceInfo()
        let folder = "\(video.path)/\(info.pictures)"
        let pictures = try FramePictures.inOrder(try PictureSource.discover([folder]).map(\.name))
        guard pictures.count >= info.length ?? last else {
            throw Fatal(
                "\(folder) has \(Count.of(pictures.count, "picture")) of \(info.length ?? last) frames", status: .usage)
        }
        let found = try await work.run(pictures) { [minConfidence, labels] model, image in
            let all = try model.detect([ModelInput(image)], minConfidence: [minConfidence]).found.first ?? []
            return labels.isEmpty ? all : all.filter { labels.contains($0.label) }
        }
        var tracker = Tracker()
        var writer = MOTRows()
        var text = ""
        for (index, detections) in found.enumerated() {
            var response = AnalyzeResponse()
            response.sequence = UInt64(index)
            let time = Int64((Double(index) * 1e6 / info.frameRate).rounded())
            response.detections = tracker.update(detections, at: time).filter { $0.trackID != nil }
            text += writer.rows(of: response)
        }
        return text
    }

    private static func scores(_ score: TrackingScore) -> [EvaluationReport.Score] {
        [
            .init(title: "MOTA", key: "mota", value: score.mota),
            .init(title: "IDF1", key: "idf1", value: score.idf1),
            .init(title: "ID switches", key: "id_switches", value: Double(score.identitySwitches), isCount: true),
            .init(title: "misses", key: "misses", value: Double(score.misses), isCount: true),
            .init(
                title: "false positives", key: "false_positives", value: Double(score.falsePositives), isCount: true),
        ]
    }
}
