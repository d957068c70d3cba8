public import NIOCore
import Synchronization

/// Memory for pictures and other large messages, and for what sockets are read into, one pool for the process.
///
/// Fresh memory of this size costs a page fault for each 4 KiB, more than the bytes cost to copy: so what one message
/// lets go serves the next. Buffers start at a multiple of 64 bytes, as vector instructions like it, and come back by
/// themselves when their last reference goes. Idle memory has a limit (`idleLimit`); it counts beside the
/// `MemoryBudget`, which bounds what is in use.
///
///     var pixels = BufferPool.shared.buffer(capacity: width * height * 3)
public final class BufferPool: Sendable {
    public static let shared = BufferPool(idleLimit: defaultIdleLimit)
    public static let defaultIdleLimit = 64 << 20

    /// Smaller messages come from the allocator of the process, which keeps such sizes by itself.
    static let smallestMessage = 16 << 10

    private let idle: Mutex<IdleBlocks>

    init(idleLimit: Int) { idle = Mutex(IdleBlocks(limit: idleLimit)) }

    /// Bytes kept for later; over it, blocks of the sizes that were not asked for longest go back to the system.
    public var idleLimit: Int {
        get { idle.withLock { $0.limit } }
        set { change { $0.limit = newValue } }
    }

    public var idleBytes: Int { idle.withLock { $0.bytes } }

    /// Gives all idle memory back to the system.
    public func trim() {
        change { idle in
            let limit = idle.limit
            idle.limit = 0
            defer { idle.limit = limit }
            return idle.evict()
        }
    }

    /// An empty buffer with room for `capacity` bytes, which are not cleared.
    public func buffer(capacity: Int) -> ByteBuffer {
        .pooled(capacity: capacity) ?? ByteBufferAllocator().buffer(capacity: capacity)
    }

    /// nil: the system has no memory, not even when it got back what was idle.
    func take(capacity: Int) -> MemoryBlock? {
        let size = BlockSize(fitting: capacity + MemoryBlock.headerBytes)
        if let block = idle.withLock({ $0.take(size) }) ?? MemoryBlock(size) { return block }
        trim()
        return MemoryBlock(size)
    }

    func giveBack(_ block: MemoryBlock) {
        change { idle in
            idle.add(block)
            return idle.evict()
        }
    }

    /// Memory goes back to the system outside of the lock, because that takes long.
    private func change(_ body: (inout IdleBlocks) -> MemoryBlock?) {
        var next = idle.withLock { body(&$0) }
        while let block = next {
            next = block.next
            block.free()
        }
    }

    private func change(_ body: (inout IdleBlocks) -> Void) {
        change { idle in
            body(&idle)
            return idle.evict()
        }
    }
}
