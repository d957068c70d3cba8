import Foundation
import Messages
import NIOCore
import NIOPosix
import RPC
import Results
import Vision

/// Writes pictures with their detections and classes drawn on them, as JPEG files.
struct PictureAnnotator: Sendable {
    let folder: String

    /// Makes the folder if it is not there.
    init(folder: String) throws(Fatal) {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw Fatal("cannot make the folder \(folder): \(SystemError.text(error))")
        }
    }

    static func path(of name: String, in folder: String) -> String {
        folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    /// Nothing is written for a frame without an answer.
    /// - Throws: `Fatal` that names the file.
    func annotate(_ frame: Frame, _ response: AnalyzeResponse, as name: String) async throws {
        guard response.status == .ok || response.status == .partial else { return }
        let path = Self.path(of: name, in: folder)
        try await NIOThreadPool.singleton.runIfActive {
            do {
                let picture = try AnnotatedPicture.draw(response, on: frame)
                // Under its name only when it is whole.
                try Data(picture.jpeg().readableBytesView).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch let error as VisionError {
                throw Fatal("cannot draw on \(name): \(error.message)")
            } catch {
                throw Fatal("cannot write \(path): \(SystemError.text(error))")
            }
        }
    }
}
