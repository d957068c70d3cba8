import Foundation

/// The pictures of a video, in the order of their frames.
enum FramePictures {
    /// By the numbers that their names are, from 1 on, zeros in front or not.
    /// - Throws: `Fatal` for a name that is no number, or a number that is missing or comes twice.
    static func inOrder(_ paths: [String]) throws(Fatal) -> [String] {
        var numbered: [(number: Int, path: String)] = []
        for path in paths {
            guard let number = Int(URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent) else {
                throw Fatal("\(path): the pictures of a video are named by the numbers of their frames", status: .usage)
            }
            numbered.append((number, path))
        }
        numbered.sort { $0.number < $1.number }
        for (index, each) in numbered.enumerated() where each.number != index + 1 {
            throw Fatal("\(each.path): frame \(index + 1) was expected here, of 1 to \(paths.count)", status: .usage)
        }
        return numbered.map(\.path)
    }
}
