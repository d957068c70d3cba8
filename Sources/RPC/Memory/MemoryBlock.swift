import Foundation
// A released interface of NIO 2.101 that may still change: the only place that uses it.
@_spi(CustomByteBufferAllocator) import NIOCore
import Synchronization

/// A block of memory from the system: a header with its size, and behind it the bytes.
///
/// It has owners, which may use it; when the last one lets go, it belongs to the pool, or to whoever calls `free`.
@safe struct MemoryBlock: @unchecked Sendable {
    static let alignment = 64
    /// Keeps the alignment of what follows.
    static let headerBytes = 64
    private static let nextOffset = 8
    private static let ownersOffset = 16
    /// Larger blocks come from the kernel and go back to it: the heap of the process would keep what is freed.
    private static let smallestMapping = 128 << 10

    private let start: UnsafeMutableRawPointer

    /// nil: the system has no memory for it.
    init?(_ size: BlockSize) {
        if size.bytes < Self.smallestMapping {
            unsafe start = UnsafeMutableRawPointer.allocate(byteCount: size.bytes, alignment: Self.alignment)
        } else {
            let memory = unsafe mmap(nil, size.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let memory = unsafe memory, Int(bitPattern: memory) != -1 else {
                return nil
            }
            unsafe start = memory
        }
        unsafe start.storeBytes(of: size.index, as: Int.self)
        unsafe (start + Self.ownersOffset).initializeMemory(as: Atomic<Int>.self, to: Atomic(0))
    }

    /// - Parameter bytes: what `bytes` of a block was.
    init(_ bytes: UnsafeMutableRawPointer) { unsafe start = bytes - Self.headerBytes }

    var bytes: UnsafeMutableRawPointer { unsafe start + Self.headerBytes }
    var size: BlockSize { BlockSize(index: unsafe start.load(as: Int.self)) }

    /// Chains idle blocks; of no meaning before it was set.
    var next: MemoryBlock? {
        get {
            unsafe start.load(fromByteOffset: Self.nextOffset, as: UnsafeMutableRawPointer?.self).map(Self.init(start:))
        }
        nonmutating set {
            unsafe start.storeBytes(
                of: newValue?.start, toByteOffset: Self.nextOffset, as: UnsafeMutableRawPointer?.self)
        }
    }

    /// One owner more.
    func retain() { unsafe owners.pointee.add(1, ordering: .relaxed) }

    /// - Returns: that was the last owner.
    func release() -> Bool {
        unsafe owners.pointee.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }

    private var owners: UnsafeMutablePointer<Atomic<Int>> {
        unsafe (start + Self.ownersOffset).assumingMemoryBound(to: Atomic<Int>.self)
    }

    private init(start: UnsafeMutableRawPointer) { unsafe self.start = start }

    func free() {
        let size = size
        if size.bytes < Self.smallestMapping {
            unsafe start.deallocate()
        } else {
            unsafe munmap(start, size.bytes)
        }
    }
}

extension ByteBuffer {
    /// What NIO calls when such a buffer grows, is copied, or its last reference goes. NIO ends the process where there is
    /// no memory, as Swift does.
    private static let pool = unsafe ByteBufferAllocator { bytes in
        unsafe newOwner(bytes)
    } reallocate: { old, oldBytes, bytes in
        guard let new = unsafe newOwner(bytes) else { return nil }
        if let old = unsafe old {
            unsafe new.copyMemory(from: old, byteCount: min(oldBytes, bytes))
            unsafe letGo(old)
        }
        return unsafe new
    } deallocate: { bytes in
        unsafe letGo(bytes)
    } copy: { destination, source, count in
        unsafe destination.copyMemory(from: source, byteCount: count)
    }

    private static func newOwner(_ capacity: Int) -> UnsafeMutableRawPointer? {
        guard let block = BufferPool.shared.take(capacity: capacity) else { return nil }
        block.retain()
        return unsafe block.bytes
    }

    private static func letGo(_ bytes: UnsafeMutableRawPointer) {
        let block = unsafe MemoryBlock(bytes)
        if block.release() { BufferPool.shared.giveBack(block) }
    }

    /// An owner of `block`, whose memory from `range` on is written next, and to the end of `range` at most.
    init(_ block: MemoryBlock, _ range: Range<Int>) {
        block.retain()
        self = unsafe ByteBuffer(
            takingOwnershipOf: UnsafeMutableRawBufferPointer(start: block.bytes, count: range.upperBound),
            allocator: Self.pool, readerIndex: range.lowerBound, writerIndex: range.lowerBound)
    }

    /// A buffer in memory of the shared pool; nil: the system has none.
    static func pooled(capacity: Int) -> ByteBuffer? {
        BufferPool.shared.take(capacity: capacity).map { ByteBuffer($0, 0..<capacity) }
    }
}
