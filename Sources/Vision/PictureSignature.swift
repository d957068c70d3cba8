/// The first bytes of pictures that can be read: JPEG, PNG, WebP.
package enum PictureSignature {
    private static let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF]
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let riff = Array("RIFF".utf8)
    private static let webp = Array("WEBP".utf8)

    package static func begins(_ bytes: some Collection<UInt8>) -> Bool {
        let start = bytes.prefix(12)
        return start.starts(with: jpeg) || start.starts(with: png)
            || start.starts(with: riff) && start.dropFirst(8).elementsEqual(webp)
    }
}
