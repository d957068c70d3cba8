internal import CNghttp2
public import NIOCore
import Synchronization

/// One HTTP/2 connection without its socket: bytes in, events out; frames in, bytes out.
///
/// It owns the `nghttp2_session`; the files of `Session` alone speak to it. The callbacks only write to
/// `log` and to the output; whoever owns the session acts on them after the call has returned. Window credit is returned
/// by the owner (`credit`, `creditConnection`), so that a slow reader slows the sender. Not thread-safe.
///
/// Accesses to the state are not checked for exclusiveness at run time, which took a tenth of the time of a small call:
/// no access lasts while nghttp2 is called, unless by a function of it that calls nothing back.
@safe public final class Session {
    public enum Role: Sendable { case client, server }

    let handle: OpaquePointer
    private let memory: UnsafeMutablePointer<SessionMemory>
    let role: Role
    let settings: SessionSettings
    @exclusivity(unchecked) private var uncheckedState: SessionState
    @exclusivity(unchecked) var scratch: [UInt8] = []

    @safe var state: SessionState {
        @inline(__always) _read { yield unsafe uncheckedState }
        @inline(__always) _modify { yield unsafe &uncheckedState }
    }

    private static let living = Atomic<Int>(0)
    /// Sessions of this process that have begun and not ended.
    static var count: Int { living.load(ordering: .relaxed) }

    /// - Throws: if nghttp2 cannot be set up (no memory).
    public init(role: Role, settings: SessionSettings = .init()) throws(HTTP2Error) {
        self.role = role
        self.settings = settings
        unsafe uncheckedState = SessionState(
            role: role, flood: FloodGuard(settings.flood), lowBytes: settings.lowUnsentBytes)
        var created: OpaquePointer?
        var options: OpaquePointer?
        unsafe nghttp2_option_new(&options)
        defer { unsafe nghttp2_option_del(options) }
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        // Closed streams are remembered by nghttp2 for the priority tree of RFC 7540 only.
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_max_settings(options, settings.flood.maxSettingsEntries)
        unsafe nghttp2_option_set_max_outbound_ack(options, settings.flood.maxUnreadAnswers)
        unsafe nghttp2_option_set_max_continuations(options, settings.flood.maxContinuations)
        // gRPC lets it be stripped, which `Metadata` does; RFC 9113, section 8.2.1 would have the stream reset, and stock gRPC
        // peers send it.
        unsafe nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(options, 1)
        // `FloodLimits.resetsReceived` takes its place: the library's 33 in a second would end busy, honest clients.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, UInt64(UInt32.max), UInt64(UInt32.max))
        let callbacks = unsafe Session.callbacks.pointer
        unsafe memory = SessionMemory.make()
        var native = unsafe nghttp2_mem(memory)
        let status =
            switch role {
            case .server: unsafe nghttp2_session_server_new3(&created, callbacks, nil, options, &native)
            case .client: unsafe nghttp2_session_client_new3(&created, callbacks, nil, options, &native)
            }
        guard status == 0, let created = unsafe created else {
            unsafe SessionMemory.end(memory)
            throw HTTP2Error(.internalError, "nghttp2 cannot make a session: \(Session.describe(status))")
        }
        unsafe handle = unsafe created
        unsafe nghttp2_session_set_user_data(handle, Unmanaged.passUnretained(self).toOpaque())
        Self.living.add(1, ordering: .relaxed)
        submitSettings()
        if role == .server { try announceStreamLimit() }
    }

    deinit {
        Self.living.subtract(1, ordering: .relaxed)
        unsafe nghttp2_session_del(handle)
        unsafe SessionMemory.end(memory)
    }

    private func submitSettings() {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
        }
        var entries = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.initialStreamWindowBytes),
            entry(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, min(max(settings.maxFrameBytes, 1 << 14), (1 << 24) - 1)),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.maxHeaderListBytes),
        ]
        switch role {
        case .server:
            // The limit itself is put into the frame below.
            entries.append(entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Int(Int32.max)))
            // Without the tree of RFC 7540 each frame is queued for less. `sendInTurn` says what takes its place.
            entries.append(entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1))
        case .client: entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        unsafe nghttp2_submit_settings(handle, 0, entries, entries.count)
        setConnectionWindow(bytes: settings.connectionWindowBytes)
    }

    /// nghttp2 would end the connection of a client that goes beyond the limit of streams, where RFC 9113, section 5.1.2
    /// has the stream refused. So it does not know of the limit; we do, and the client.
    private func announceStreamLimit() throws(HTTP2Error) {
        var pointer: UnsafePointer<UInt8>?
        let count = unsafe nghttp2_session_mem_send(handle, &pointer)
        guard count > 0, let pointer = unsafe pointer else {
            throw HTTP2Error(.internalError, "nghttp2 makes no SETTINGS: \(Session.describe(Int32(clamping: count)))")
        }
        var frame = unsafe ByteBuffer(bytes: UnsafeRawBufferPointer(start: pointer, count: count))
        let (headerBytes, entryBytes) = (9, 6)
        for entry in stride(from: headerBytes, to: count, by: entryBytes)
        where frame.getInteger(at: entry) == UInt16(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue) {
            frame.setInteger(UInt32(clamping: settings.maxConcurrentStreams), at: entry + 2)
        }
        state.output.append(.buffer(frame))
    }

    /// nghttp2 found a mistake that ends the connection, and has told the peer.
    public var violation: HTTP2Error? { state.violation }

    // ---- bytes in ----

    /// Reads what the peer sent; `tellEvents` tells what it was.
    /// - Parameter now: nanoseconds of a monotonic clock, for the flood limits.
    /// - Throws: if the connection cannot go on.
    public func receive(_ buffer: ByteBuffer, now: UInt64) throws(HTTP2Error) {
        guard !state.isTerminated, violation == nil else { return }
        if !state.hasHeard {
            state.hasHeard = true
            if role == .client { try checkBeginning(buffer.readableBytesView) }
        }
        state.flood.advance(to: now)
        state.log.beginRead()
        var mistake: (before: Int, error: HTTP2Error)?
        let status = unsafe buffer.withUnsafeReadableBytes { raw in
            mistake = unsafe state.scan(raw)
            state.inputStart = UInt(bitPattern: raw.baseAddress)
            return unsafe nghttp2_session_mem_recv(
                handle, raw.baseAddress?.assumingMemoryBound(to: UInt8.self), mistake?.before ?? raw.count)
        }
        if let fault = state.fault { throw fault }
        guard status >= 0 else {
            throw Session.error(Int32(clamping: status))
        }
        if let mistake { throw mistake.error }
        try checkQueue()
    }

    /// nghttp2 would miss SETTINGS in what others say, which helps nobody who has named the wrong port.
    private func checkBeginning(_ bytes: ByteBufferView) throws(HTTP2Error) {
        if bytes.starts(with: Self.olderVersion) {
            throw HTTP2Error(
                .http11Required, "who is there speaks HTTP/1, not HTTP/2: a web server or gateway?",
                limit: .connectionViolation)
        }
        if bytes.starts(with: Self.tlsAlert) {
            throw HTTP2Error(
                .protocolError, "who is there speaks TLS, and was called without it", limit: .connectionViolation,
                isTLSMismatch: true)
        }
    }

    /// How answers of HTTP/1 begin. A frame of such a length is never the first one.
    private static let olderVersion = Array("HTTP/".utf8)
    /// How TLS answers what is none of it: an alert (21) of any version (RFC 8446, section 5.1). So long is no first frame either.
    private static let tlsAlert: [UInt8] = [21, 3]

    /// Each kind of frame that a peer can make us send is few at a time, but all of them wait while it does not read.
    private func checkQueue() throws(HTTP2Error) {
        let frames = unsafe nghttp2_session_get_outbound_queue_size(handle)
        // A head and trailers of each open stream are no fault of the peer's; their output is gone when they wait here. Streams
        // beyond the limit are open until their refusal is sent.
        let streams = role == .server ? min(state.openStreams, settings.maxConcurrentStreams) : state.openStreams
        guard frames <= settings.flood.maxQueuedFrames + 2 * streams else {
            throw HTTP2Error(.enhanceYourCalm, "\(frames) frames wait to be sent", limit: .queuedFrames)
        }
    }

    /// The stream to which all of the next `bytes` belong, since a DATA frame is only half read.
    var openData: (stream: Int32, bytes: Int)? {
        state.isTerminated || violation != nil || state.fault != nil ? nil : state.frameScan.openData
    }

    /// What nghttp2 cannot go on after.
    private static func error(_ status: Int32) -> HTTP2Error {
        let text = describe(status)
        return switch status {
        case NGHTTP2_ERR_FLOODED.rawValue: HTTP2Error(.enhanceYourCalm, text, limit: .unreadAnswers)
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue: HTTP2Error(.enhanceYourCalm, text, limit: .continuations)
        case NGHTTP2_ERR_NOMEM.rawValue: HTTP2Error(.internalError, text)
        default: HTTP2Error(.protocolError, text, limit: .connectionViolation)
        }
    }

    /// Tells what happened since the last time.
    /// - Returns: something did.
    @discardableResult
    public func tellEvents(_ body: (SessionEvent) -> Void) -> Bool {
        let batch = state.log.take()
        guard !batch.isEmpty else { return false }
        batch.forEach(body)
        state.log.told(batch)
        return true
    }

    /// Nothing more will be read or written: both sides have said goodbye and no stream is left.
    public var isFinished: Bool {
        unsafe nghttp2_session_want_read(handle) == 0 && nghttp2_session_want_write(handle) == 0
    }

    // ---- frames of the connection ----

    /// Lets the peer send `bytes` more on `stream`.
    public func credit(stream: Int32, bytes: Int) {
        guard bytes > 0 else { return }
        // Fails for a stream that is gone, which needs no credit.
        unsafe nghttp2_submit_window_update(handle, 0, stream, Int32(clamping: bytes))
    }

    /// What a peer may send on a new stream before it hears from us is `bytes` from now on. Streams that are open get the
    /// difference, more or less, when the peer reads it (RFC 9113, section 6.9.2).
    public func announceStreamWindow(bytes: Int) {
        var entry = nghttp2_settings_entry(
            settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(clamping: bytes))
        unsafe nghttp2_submit_settings(handle, 0, &entry, 1)
    }

    /// What the peer may have on its way on all streams together is `bytes` from now on. Of a narrower window what was granted
    /// is not taken back: there is no credit until so much has come.
    public func setConnectionWindow(bytes: Int) {
        state.connectionWindow = bytes
        unsafe nghttp2_session_set_local_window_size(handle, 0, 0, Int32(clamping: bytes))
    }

    /// Lets the peer send `bytes` more on the connection: they were copied away, or thrown away.
    ///
    /// nghttp2 sends credit in halves of the window, with that of what it takes by itself (padding, DATA of dead streams).
    /// While there is only one stream, ours goes out in quarters.
    public func creditConnection(bytes: Int) {
        guard bytes > 0 else { return }
        unsafe nghttp2_session_consume_connection(handle, bytes)
        guard state.openStreams <= 1 else { return state.connectionCredit = 0 }
        state.connectionCredit += bytes
        guard state.connectionCredit >= state.connectionWindow / 4 else { return }
        // Never more than came, since nghttp2 may have sent some of it: that would open the window wider.
        let due = min(state.connectionCredit, unsafe Int(nghttp2_session_get_effective_recv_data_length(handle)))
        state.connectionCredit = 0
        // Takes it off what was consumed, too.
        unsafe nghttp2_submit_window_update(handle, 0, 0, Int32(clamping: due))
    }

    public func ping(_ payload: UInt64) {
        unsafe withUnsafeBytes(of: payload) { raw in
            _ = unsafe nghttp2_submit_ping(handle, 0, raw.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// The first GOAWAY of a graceful end: new streams are still served, but a peer should open none. A PING follows it;
    /// nghttp2 would send one that is queued now before it.
    public func announceGoAway(thenPing payload: UInt64) {
        state.pingAfterGoAway = payload
        unsafe nghttp2_submit_shutdown_notice(handle)
    }

    /// The last GOAWAY of a graceful end: what came until now is served, what comes later is not.
    /// - Parameter reason: its debug data.
    public func finalGoAway(_ reason: String = "") {
        state.lastServed = lastPeerStream
        submitGoAway(.noError, reason)
    }

    private func submitGoAway(_ code: ErrorCode, _ reason: String) {
        var reason = reason
        let last = lastPeerStream
        reason.withUTF8 {
            _ = unsafe nghttp2_submit_goaway(handle, 0, last, code.rawValue, $0.baseAddress, $0.count)
        }
    }

    /// GOAWAY with a reason; every stream ends.
    public func terminate(_ error: HTTP2Error) {
        state.isTerminated = true
        // The library's own GOAWAY gives no reason, and a client that is too busy should know it.
        guard error.code != .enhanceYourCalm else { return submitGoAway(error.code, error.message) }
        unsafe nghttp2_session_terminate_session(handle, error.code.rawValue)
    }

    // ---- bytes out ----

    /// Packs frames, up to about `maxOutputBytes`, and hands the bytes over.
    /// - Returns: there may be more.
    public func produce(_ body: (ByteBuffer) -> Void) throws(HTTP2Error) -> Bool {
        // DATA of others may fill each turn, and then nghttp2 never has nothing more to send.
        if !state.ending.isEmpty, unsafe nghttp2_session_get_outbound_queue_size(handle) == 0 { while endBody() {} }
        repeat {
            while state.output.bytes < settings.maxOutputBytes {
                var pointer: UnsafePointer<UInt8>?
                let count = unsafe nghttp2_session_mem_send(handle, &pointer)
                guard count >= 0 else {
                    throw HTTP2Error(.internalError, Session.describe(Int32(clamping: count)))
                }
                guard count > 0, let pointer = unsafe pointer else { break }
                unsafe append(UnsafeRawBufferPointer(start: pointer, count: count))
            }
        } while stopAnswered() || endBody()
        if let fault = state.fault, !state.isTerminated { throw fault }
        let isFull = state.output.bytes >= settings.maxOutputBytes
        state.output.drain().forEach(body)
        return isFull
    }

    /// HEADERS without a field that end their stream go out as DATA without a byte that ends it: see `endBody`.
    private func append(_ frame: UnsafeRawBufferPointer) {
        let (type, flags) = (3, 4)
        let endStream = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)
        guard frame.count == FrameScan.headerBytes, unsafe UInt32(frame[type]) == NGHTTP2_HEADERS.rawValue,
            unsafe frame[flags] & endStream != 0
        else { return unsafe state.output.append(frame) }
        var data = unsafe Array(frame)
        data[type] = UInt8(NGHTTP2_DATA.rawValue)
        data[flags] = endStream
        unsafe data.withUnsafeBytes { unsafe state.output.append($0) }
    }

    /// Tells peers that still send to a stream that it is answered (RFC 9113, section 8.1).
    private func stopAnswered() -> Bool {
        guard !state.answered.isEmpty else { return false }
        for stream in state.answered { unsafe nghttp2_submit_rst_stream(handle, 0, stream, ErrorCode.noError.rawValue) }
        state.answered.removeAll(keepingCapacity: true)
        return true
    }

    static func describe(_ status: Int32) -> String {
        unsafe String(cString: nghttp2_strerror(status))
    }
}
