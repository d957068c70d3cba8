/// File names of annotated pictures: the picture's own, and a number where two are called alike.
struct OutputNames {
    private var taken: [String: Int] = [:]

    mutating func next(for source: PictureSource) -> String {
        var stem: String
        switch source {
        case .standardInput: stem = "stdin"
        case .file(let path):
            stem = String(path.split(separator: "/").last ?? "picture")
            if let dot = stem.lastIndex(of: "."), dot != stem.startIndex { stem = String(stem[..<dot]) }
        }
        while true {
            let count = taken[stem, default: 0] + 1
            taken[stem] = count
            if count == 1 { return stem + ".jpg" }
            // `a-2` may be a picture's own name, too.
            let numbered = "\(stem)-\(count)"
            if taken[numbered] == nil {
                taken[numbered] = 1
                return numbered + ".jpg"
            }
        }
    }
}
