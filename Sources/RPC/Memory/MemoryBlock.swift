import Foundation
// A released interface of NIO 2.101 that may still change: the only place that uses it.
@_spi(CustomByteBufferAllocator) import NIOCore

/// A block of memory from the system: a header with its size, and behind it the bytes.
///
/// Whoever holds it may use it; `free` or the pool ends that.
@safe struct MemoryBlock: @unchecked Sendable {
    static let alignment = 64
    /// Keeps the alignment of what follows.
    static let headerBytes = 64
    private static let nextOffset = 8
    /// Larger blocks come from the kernel and go back to it: the heap of the process would keep what is freed.
    private static let smallestMapping = 128 << 10

    private let start: UnsafeMutableRawPointer

    init(_ size: BlockSize) {
        if size.bytes < Self.smallestMapping {
            unsafe start = UnsafeMutableRawPointer.allocate(byteCount: size.bytes, alignment: Self.alignment)
        } else {
            let memory = unsafe mmap(nil, size.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let memory = unsafe memory, Int(bitPattern: memory) != -1 else {
                fatalError("the system has no memory for a message of \(size.bytes) bytes")
            }
            unsafe start = memory
        }
        unsafe start.storeBytes(of: size.index, as: Int.self)
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
    /// What NIO calls when such a buffer grows, is copied, or its last reference goes.
    private static let pool = unsafe ByteBufferAllocator { bytes in
        unsafe BufferPool.shared.take(capacity: bytes).bytes
    } reallocate: { old, oldBytes, bytes in
        let new = BufferPool.shared.take(capacity: bytes)
        if let old = unsafe old {
            unsafe new.bytes.copyMemory(from: old, byteCount: min(oldBytes, bytes))
            BufferPool.shared.giveBack(unsafe MemoryBlock(old))
        }
        return unsafe new.bytes
    } deallocate: { bytes in
        BufferPool.shared.giveBack(unsafe MemoryBlock(bytes))
    } copy: { destination, source, count in
        unsafe destination.copyMemory(from: source, byteCount: count)
    }

    /// A buffer in memory of the shared pool.
    static func pooled(capacity: Int) -> ByteBuffer {
        let block = BufferPool.shared.take(capacity: capacity)
        return unsafe ByteBuffer(
            takingOwnershipOf: UnsafeMutableRawBufferPointer(start: block.bytes, count: capacity), allocator: pool,
            writerIndex: 0)
    }
}
