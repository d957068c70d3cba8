import CEventDescriptor
import Glibc
import NIOCore
import NIOPosix

/// Keeps an event loop from going to sleep, for as long as `PollingRule` says.
///
/// A loop of NIO sleeps in `epoll_wait` unless something is ready. So there is a descriptor that is: an eventfd that
/// counts down from more than it will ever be read. While the loop polls, it reads that once a round; else it does not
/// look at it. One for each loop, made when it is first wanted, and closed with the loop.
final class LoopPoll: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// No thread sees another one's.
    nonisolated(unsafe) private static let ofThread = ThreadSpecificVariable<LoopPoll>()
    private static let bytesOfRound = MemoryLayout<UInt64>.size
    /// At a million a second enough for ten thousand years.
    private static let mostRounds: UInt64 = 1 << 62

    private let loop: any EventLoop
    private var rule = PollingRule()
    private var context: ChannelHandlerContext?
    private var isMade = false
    private(set) var isPolling = false
    private(set) var rounds: UInt64 = 0
    private var end = NIODeadline.now()

    private init(_ loop: any EventLoop) { self.loop = loop }

    /// On the loop only.
    static func of(_ loop: any EventLoop) -> LoopPoll {
        loop.assertInEventLoop()
        if let poll = unsafe ofThread.currentValue, poll.loop === loop { return poll }
        let poll = LoopPoll(loop)
        unsafe ofThread.currentValue = poll
        return poll
    }

    /// On the loop only, when what a peer sent has been dealt with.
    /// - Parameter limit: how long to poll at most.
    func worked(at now: NIODeadline, limit: TimeAmount) {
        guard let end = rule.worked(at: now, limit: limit) else { return }
        self.end = end
        guard let context else { return make() }
        guard !isPolling else { return }
        isPolling = true
        context.read()
    }

    /// A loop that is not one of sockets (a test's), or for which there is no descriptor, sleeps as ever.
    private func make() {
        guard !isMade else { return }
        isMade = true
        guard let bootstrap = NIOPipeBootstrap(validatingGroup: loop), let descriptor = Self.openDescriptor() else {
            return
        }
        let poll = NIOLoopBound(self, eventLoop: loop)
        bootstrap.channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.bytesOfRound))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(poll.value) }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
            .whenFailure { _ in close(descriptor) }
    }

    private static func openDescriptor() -> CInt? {
        let descriptor = eventfd(0, CInt(EFD_SEMAPHORE) | CInt(EFD_NONBLOCK) | CInt(EFD_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        var rounds = mostRounds
        guard unsafe write(descriptor, &rounds, bytesOfRound) == bytesOfRound else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    func channelActive(context: ChannelHandlerContext) { self.context = context }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        isPolling = false
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        rounds += 1
        if NIODeadline.now() < end {
            context.read()
        } else {
            isPolling = false
        }
    }
}
