import Foundation

/// Where one picture comes from.
enum PictureSource: Sendable, Hashable {
    case file(String)
    case standardInput

    /// As the user named it.
    var name: String {
        switch self {
        case .file(let path): path
        case .standardInput: "-"
        }
    }

    /// nil: it is no file.
    var path: String? {
        switch self {
        case .file(let path): path
        case .standardInput: nil
        }
    }
}

extension PictureSource {
    /// Pictures that one run may name.
    static let maxPictures = 1_000_000
    /// What counts as a picture inside a directory; a file that is named itself is always taken.
    static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

    /// Files in the given order; a directory stands for the pictures in it and below, sorted by path. Nothing is read
    /// yet, and what is not there is found out later, by name.
    /// - Parameter anyExtension: raw pixels have no extension of their own.
    /// - Throws: `Fatal` for a directory without pictures, or standard input twice.
    static func discover(_ arguments: [String], anyExtension: Bool = false) throws -> [PictureSource] {
        var found: [PictureSource] = []
        for argument in arguments {
            if argument == "-" {
                guard !found.contains(.standardInput) else {
                    throw Fatal("standard input (-) can be read only once", status: .usage)
                }
                found.append(.standardInput)
            } else if isDirectory(argument) {
                let inside = try pictures(in: argument, anyExtension: anyExtension)
                guard !inside.isEmpty else {
                    throw Fatal("no pictures in the directory \(argument)", status: .usage)
                }
                found += inside.map(PictureSource.file)
            } else {
                found.append(.file(argument))
            }
            guard found.count <= maxPictures else {
                throw Fatal("more than \(maxPictures) pictures; send them in parts", status: .usage)
            }
        }
        return found
    }

    static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    private static func pictures(in folder: String, anyExtension: Bool) throws -> [String] {
        // Symbolic links to directories are not followed, so this ends.
        guard let enumerator = FileManager.default.enumerator(atPath: folder) else {
            throw Fatal("cannot read the directory \(folder)")
        }
        var found: [String] = []
        while let path = enumerator.nextObject() as? String {
            let name = path.split(separator: "/").last ?? ""
            guard !name.hasPrefix(".") else { continue }
            let suffix = name.contains(".") ? name.split(separator: ".").last?.lowercased() ?? "" : ""
            guard anyExtension || extensions.contains(suffix), !isDirectory(folder + "/" + path) else { continue }
            found.append(path)
            guard found.count <= maxPictures else { break }
        }
        let base = folder.hasSuffix("/") ? folder : folder + "/"
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { base + $0 }
    }
}
