internal import CNghttp2

/// The memory of one `nghttp2_session`: pieces that it gives back are kept for the next stream, since all calls of a read
/// are open at once and the C library's own lists are shorter than that.
///
///     16 bytes: the size class, 0 for a large piece │ the piece
@unsafe struct SessionMemory {
    private static let step = 32
    private static let classes = 16
    private static let headBytes = 16
    /// Beyond this, memory goes back to the C library.
    private static let mostKeptBytes = 64 << 10

    /// By class; each kept piece begins with the address of the next.
    private var kept = unsafe InlineArray<17, UnsafeMutableRawPointer?>(repeating: nil)
    private var keptBytes = 0

    static func make() -> UnsafeMutablePointer<SessionMemory> {
        let memory = UnsafeMutablePointer<SessionMemory>.allocate(capacity: 1)
        unsafe memory.initialize(to: unsafe SessionMemory())
        return unsafe memory
    }

    /// Once its session is gone.
    static func end(_ memory: UnsafeMutablePointer<SessionMemory>) {
        for sizeClass in unsafe 1...classes {
            while let piece = unsafe memory.pointee.takeKept(sizeClass) { unsafe (piece - headBytes).deallocate() }
        }
        unsafe memory.deallocate()
    }

    private mutating func takeKept(_ sizeClass: Int) -> UnsafeMutableRawPointer? {
        guard let piece = unsafe kept[sizeClass] else { return nil }
        unsafe kept[sizeClass] = piece.load(as: UnsafeMutableRawPointer?.self)
        unsafe keptBytes -= sizeClass * Self.step
        return unsafe piece
    }

    mutating func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        let sizeClass = unsafe max(1, (size + Self.step - 1) / Self.step)
        guard unsafe sizeClass <= Self.classes else { return unsafe Self.fresh(size, class: 0) }
        return unsafe takeKept(sizeClass) ?? Self.fresh(sizeClass * Self.step, class: sizeClass)
    }

    private static func fresh(_ size: Int, class sizeClass: Int) -> UnsafeMutableRawPointer {
        let raw = unsafe UnsafeMutableRawPointer.allocate(byteCount: headBytes + size, alignment: headBytes)
        unsafe raw.storeBytes(of: sizeClass, as: Int.self)
        unsafe raw.storeBytes(of: size, toByteOffset: 8, as: Int.self)
        return unsafe raw + headBytes
    }

    mutating func release(_ piece: UnsafeMutableRawPointer) {
        let sizeClass = unsafe (piece - Self.headBytes).load(as: Int.self)
        let size = unsafe sizeClass * Self.step
        guard sizeClass > 0, unsafe keptBytes + size <= Self.mostKeptBytes else {
            return unsafe (piece - Self.headBytes).deallocate()
        }
        unsafe piece.storeBytes(of: kept[sizeClass], as: UnsafeMutableRawPointer?.self)
        unsafe kept[sizeClass] = piece
        unsafe keptBytes += size
    }

    mutating func resize(_ piece: UnsafeMutableRawPointer, to size: Int) -> UnsafeMutableRawPointer {
        let room = unsafe (piece - 8).load(as: Int.self)
        if size <= room { return unsafe piece }
        let larger = unsafe allocate(size)
        unsafe larger.copyMemory(from: piece, byteCount: room)
        unsafe release(piece)
        return unsafe larger
    }
}

extension nghttp2_mem {
    /// nghttp2's way to `memory`.
    init(_ memory: UnsafeMutablePointer<SessionMemory>) {
        unsafe self.init(
            mem_user_data: memory,
            malloc: { size, user in unsafe nghttp2_mem.of(user).pointee.allocate(size) },
            free: { piece, user in
                if let piece = unsafe piece { unsafe nghttp2_mem.of(user).pointee.release(piece) }
            },
            calloc: { count, size, user in
                let (total, isTooMuch) = count.multipliedReportingOverflow(by: size)
                guard !isTooMuch else { return nil }
                let piece = unsafe nghttp2_mem.of(user).pointee.allocate(total)
                unsafe piece.initializeMemory(as: UInt8.self, repeating: 0, count: total)
                return unsafe piece
            },
            realloc: { piece, size, user in
                guard let piece = unsafe piece else { return unsafe nghttp2_mem.of(user).pointee.allocate(size) }
                return unsafe nghttp2_mem.of(user).pointee.resize(piece, to: size)
            })
    }

    private static func of(_ user: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<SessionMemory> {
        unsafe user.unsafelyUnwrapped.assumingMemoryBound(to: SessionMemory.self)
    }
}
