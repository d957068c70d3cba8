internal import CAres
import Glibc
import NIOCore

/// A c-ares channel for one look-up, used by one thread. It reads /etc/resolv.conf anew, and its sockets have new ports.
///
/// c-ares asks, checks who answers, tries again, asks by TCP what was cut short, and adds search domains; what the answers
/// say is read in `DNSMessage`. `ask` polls all sockets that c-ares has open, whatever their number.
@safe final class AresSession {
    private let channel: ares_channel
    private let configuration: DNSConfiguration
    private let sockets: Sockets
    private let end: NIODeadline

    /// How soon it is seen that the look-up was cancelled.
    private static let slice: TimeAmount = .milliseconds(50)
    private static let isReady = ares_library_init(ARES_LIB_INIT_ALL) == 0

    /// The look-up's time begins. nil: there is no memory, or the system lacks what c-ares needs.
    init?(_ configuration: DNSConfiguration) {
        guard Self.isReady else { return nil }
        self.configuration = configuration
        end = .now() + TimeAmount(configuration.lookUpTimeout)
        sockets = Sockets()
        guard let channel = unsafe Self.open(configuration, sockets) else { return nil }
        unsafe self.channel = channel
    }

    deinit { unsafe ares_destroy(channel) }

    private static func open(_ configuration: DNSConfiguration, _ sockets: Sockets) -> ares_channel? {
        var options = unsafe ares_options()
        unsafe options.flags = ARES_FLAG_EDNS
        unsafe options.ednspsz = 1232
        unsafe options.timeout = Int32(clamping: TimeAmount(configuration.tryTimeout).nanoseconds / 1_000_000)
        unsafe options.tries = Int32(clamping: configuration.tries)
        // They live as long as the session, which has the channel.
        unsafe options.sock_state_cb_data = Unmanaged.passUnretained(sockets).toOpaque()
        unsafe options.sock_state_cb = { data, socket, reads, writes in
            guard let data = unsafe data else { return }
            unsafe Unmanaged<Sockets>.fromOpaque(data).takeUnretainedValue().set(socket, reads != 0, writes != 0)
        }
        var channel: ares_channel?
        // `getaddrinfo` reads the file only; questions to servers are `search`.
        var files: [CChar] = [CChar(bitPattern: UInt8(ascii: "f")), 0]
        let status = unsafe files.withUnsafeMutableBufferPointer { files in
            unsafe options.lookups = files.baseAddress
            return unsafe ares_init_options(
                &channel, &options,
                ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS
                    | ARES_OPT_SOCK_STATE_CB)
        }
        guard status == 0, let opened = unsafe channel else { return nil }
        if !configuration.servers.isEmpty {
            let list = configuration.servers.map(\.description).joined(separator: ",")
            guard unsafe ares_set_servers_ports_csv(opened, list) == 0 else {
                unsafe ares_destroy(opened)
                return nil
            }
        }
        return unsafe opened
    }

    // ---- /etc/hosts ----

    /// The addresses that the file has for `name`; `localhost` has some always (RFC 6761, section 6.3).
    func hostsFile(_ name: String) -> [SocketAddress] {
        let found = Found()
        var hints = ares_addrinfo_hints()
        hints.ai_flags = ARES_AI_NOSORT
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        // Calls back before it returns.
        unsafe ares_getaddrinfo(
            channel, name, nil, &hints,
            { found, status, _, info in
                guard let found = unsafe found, let info = unsafe info else { return }
                if status == 0 { unsafe Unmanaged<Found>.fromOpaque(found).takeUnretainedValue().add(info) }
                unsafe ares_freeaddrinfo(info)
            }, Unmanaged.passUnretained(found).toOpaque())
        return found.addresses
    }

    private final class Found {
        private(set) var all: [SocketAddress] = []

        func add(_ info: UnsafeMutablePointer<ares_addrinfo>) {
            var next = unsafe info.pointee.nodes
            while let node = unsafe next {
                if let address = unsafe node.pointee.ai_addr {
                    switch unsafe node.pointee.ai_family {
                    case AF_INET:
                        unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                            all.append(SocketAddress(unsafe $0.pointee, host: ""))
                        }
                    case AF_INET6:
                        unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                            all.append(SocketAddress(unsafe $0.pointee, host: ""))
                        }
                    default: break
                    }
                }
                unsafe next = unsafe node.pointee.ai_next
            }
        }

        /// This host by both of its loopback addresses would be two endpoints.
        var addresses: [SocketAddress] {
            let hasLoopback = all.contains { $0.ipAddress?.hasPrefix("127.") == true }
            return hasLoopback ? all.filter { $0.ipAddress != "::1" } : all
        }
    }

    // ---- servers ----

    /// One reply for each question; blocks until the last one is there, until the look-up's time is over, or until
    /// `isCancelled`.
    func ask(_ questions: [DNSQuestion], isCancelled: () -> Bool) -> [DNSReply<DNSMessage>] {
        let asked = Asked(questions)
        var next = 0
        while true {
            while next < questions.count, asked.waiting < configuration.maxQuestions {
                start(next, asked)
                next += 1
            }
            let now = NIODeadline.now()
            if asked.waiting == 0 || now >= end || isCancelled() { break }
            wait(min(end - now, Self.slice))
        }
        // Calls back for whatever still waits.
        unsafe ares_cancel(channel)
        return asked.replies
    }

    private func start(_ index: Int, _ asked: Asked) {
        asked.waiting += 1
        let place = Place(asked, index)
        // Calls back once, whatever happens; perhaps before it returns.
        unsafe ares_search(
            channel, asked.questions[index].name, 1, asked.questions[index].kind.rawValue,
            { place, status, _, bytes, count in
                guard let place = unsafe place else { return }
                let answer = unsafe UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : Int(count))
                unsafe Unmanaged<Place>.fromOpaque(place).takeRetainedValue().end(status, Array(answer))
            }, Unmanaged.passRetained(place).toOpaque())
    }

    private func wait(_ time: TimeAmount) {
        var milliseconds = Int(time.nanoseconds / 1_000_000)
        var longest = timeval()
        if unsafe ares_timeout(channel, nil, &longest) != nil {
            milliseconds = min(milliseconds, longest.tv_sec * 1000 + Int(longest.tv_usec) / 1000)
        }
        var polled = sockets.interest.map { pollfd(fd: $0.key, events: $0.value, revents: 0) }
        let count = unsafe poll(&polled, nfds_t(polled.count), Int32(clamping: max(1, milliseconds)))
        guard count > 0 else { return unsafe ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD) }
        for socket in polled where socket.revents != 0 {
            let writes = socket.revents & Int16(POLLOUT) != 0
            let reads = socket.revents & ~Int16(POLLOUT) != 0
            unsafe ares_process_fd(
                channel, reads ? socket.fd : ARES_SOCKET_BAD, writes ? socket.fd : ARES_SOCKET_BAD)
        }
    }

    /// What c-ares wants to be told of its sockets.
    private final class Sockets {
        private(set) var interest: [CInt: Int16] = [:]

        func set(_ socket: CInt, _ reads: Bool, _ writes: Bool) {
            let events = (reads ? Int16(POLLIN) : 0) | (writes ? Int16(POLLOUT) : 0)
            interest[socket] = events == 0 ? nil : events
        }
    }

    private final class Asked {
        let questions: [DNSQuestion]
        var replies: [DNSReply<DNSMessage>]
        var waiting = 0

        init(_ questions: [DNSQuestion]) {
            self.questions = questions
            replies = questions.map { .failed("the DNS server did not answer for '\($0.name)' in time") }
        }
    }

    /// Whose answer it is.
    private final class Place {
        private let asked: Asked
        private let index: Int

        init(_ asked: Asked, _ index: Int) {
            self.asked = asked
            self.index = index
        }

        func end(_ status: Int32, _ bytes: [UInt8]) {
            asked.waiting -= 1
            let question = asked.questions[index]
            switch status {
            case ARES_SUCCESS:
                do throws(DNSMessage.Malformed) {
                    asked.replies[index] = .found([try DNSMessage(parsing: bytes)], ttl: .zero)
                } catch {
                    asked.replies[index] = .failed(
                        "the answer of the DNS server for '\(question.name)' is malformed at byte \(error.offset)")
                }
            case ARES_ENOTFOUND: asked.replies[index] = .none("there is no name '\(question.name)'")
            case ARES_ENODATA: asked.replies[index] = .none("'\(question.name)' has no \(question.kind.records)")
            // The time of all; the reply is there.
            case ARES_ECANCELLED: break
            default:
                let reason = unsafe String(cString: ares_strerror(status))
                asked.replies[index] = .failed("no answer for '\(question.name)': \(reason)")
            }
        }
    }
}
