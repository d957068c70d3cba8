internal import CNghttp2
public import NIOCore

/// One HTTP/2 connection without its socket: bytes in, events out; frames in, bytes out.
///
/// It owns the `nghttp2_session`, and is the only file that speaks to it. nghttp2's callbacks only append to `events`
/// and to the output; whoever owns the session acts on them after the call has returned. Window credit is returned by
/// the owner (`credit`, `creditConnection`), so that a slow reader slows the sender. Not thread-safe.
@safe public final class Session {
    public enum Role: Sendable { case client, server }

    private let handle: OpaquePointer
    private let role: Role
    private let settings: SessionSettings
    private var events: [SessionEvent] = []
    private var outputs: [Int32: StreamOutput] = [:]
    private var output = OutputQueue()
    private var block = HeaderBlock()
    private var flood: FloodGuard
    private var fault: HTTP2Error?
    /// The connection was given up; what still comes is not looked at (CVE-2026-27135).
    private var isTerminated = false
    /// nghttp2 found a mistake that ends the connection, and has told the peer.
    public private(set) var violation: HTTP2Error?
    /// Start of the buffer in `receive`, to name DATA by its offset.
    private var inputBase: UnsafeRawPointer?
    /// Streams of a server that has answered; the peer is told to stop sending.
    private var answered: [Int32] = []
    private var scratch: [UInt8] = []

    /// - Throws: if nghttp2 cannot be set up (no memory).
    public init(role: Role, settings: SessionSettings = .init()) throws(HTTP2Error) {
        self.role = role
        self.settings = settings
        flood = FloodGuard(settings.flood)
        var created: OpaquePointer?
        var options: OpaquePointer?
        unsafe nghttp2_option_new(&options)
        defer { unsafe nghttp2_option_del(options) }
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        // Closed streams are remembered by nghttp2 for the priority tree of RFC 7540 only.
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_max_settings(options, settings.maxSettingsEntries)
        unsafe nghttp2_option_set_max_outbound_ack(options, settings.maxUnreadAnswers)
        unsafe nghttp2_option_set_max_continuations(options, settings.maxContinuations)
        // `FloodLimits.resetsReceived` takes its place: the library's 33 in a second would end busy, honest clients.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, UInt64(UInt32.max), UInt64(UInt32.max))
        let callbacks = unsafe Session.callbacks.pointer
        let status =
            switch role {
            case .server: unsafe nghttp2_session_server_new2(&created, callbacks, nil, options)
            case .client: unsafe nghttp2_session_client_new2(&created, callbacks, nil, options)
            }
        guard status == 0, let created = unsafe created else {
            throw HTTP2Error(.internalError, "nghttp2 cannot make a session: \(Session.describe(status))")
        }
        unsafe handle = unsafe created
        unsafe nghttp2_session_set_user_data(handle, Unmanaged.passUnretained(self).toOpaque())
        submitSettings()
    }

    deinit { unsafe nghttp2_session_del(handle) }

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
        case .server: entries.append(entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams))
        case .client: entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        unsafe nghttp2_submit_settings(handle, 0, entries, entries.count)
        unsafe nghttp2_session_set_local_window_size(handle, 0, 0, Int32(clamping: settings.connectionWindowBytes))
    }

    // ---- bytes in ----

    /// Reads what the peer sent; `takeEvents` tells what it was.
    /// - Parameter now: nanoseconds of a monotonic clock, for the flood limits.
    /// - Throws: if the connection cannot go on.
    public func receive(_ buffer: ByteBuffer, now: UInt64) throws(HTTP2Error) {
        guard !isTerminated, violation == nil else { return }
        flood.advance(to: now)
        let status = unsafe buffer.withUnsafeReadableBytes { raw in
            unsafe inputBase = raw.baseAddress
            defer { unsafe inputBase = nil }
            return unsafe nghttp2_session_mem_recv(
                handle, raw.baseAddress?.assumingMemoryBound(to: UInt8.self), raw.count)
        }
        if let fault { throw fault }
        guard status >= 0 else {
            throw Session.error(Int32(clamping: status))
        }
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

    public func takeEvents() -> [SessionEvent] {
        defer { events = [] }
        return events
    }

    /// Nothing more will be read or written: both sides have said goodbye and no stream is left.
    public var isFinished: Bool {
        unsafe nghttp2_session_want_read(handle) == 0 && nghttp2_session_want_write(handle) == 0
    }

    // ---- credit ----

    /// Lets the peer send `bytes` more on `stream`.
    public func credit(stream: Int32, bytes: Int) {
        guard bytes > 0 else { return }
        // Fails for a stream that is gone, which needs no credit.
        unsafe nghttp2_submit_window_update(handle, 0, stream, Int32(clamping: bytes))
    }

    /// Lets the peer send `bytes` more on the connection: they were copied away, or thrown away.
    public func creditConnection(bytes: Int) {
        guard bytes > 0 else { return }
        unsafe nghttp2_session_consume_connection(handle, bytes)
    }

    // ---- frames out ----

    /// Opens a stream. Its body follows by `send` and `finish`.
    /// - Throws: if no stream can be opened: the peer said goodbye, or the ids are used up.
    public func request(_ fields: [HeaderField]) throws(HTTP2Error) -> Int32 {
        guard unsafe nghttp2_session_check_request_allowed(handle) != 0 else {
            throw HTTP2Error(.refusedStream, "the connection takes no new streams")
        }
        let id = unsafe withNativeFields(fields) { native in
            var provider = unsafe Session.provider
            return unsafe nghttp2_submit_request(handle, nil, native.baseAddress, native.count, &provider, nil)
        }
        guard id > 0 else { throw HTTP2Error(.refusedStream, Session.describe(id)) }
        outputs[id] = StreamOutput()
        return id
    }

    /// Answers a request. Unless `endStream`, a body follows by `send` and `finish`.
    public func respond(stream: Int32, fields: [HeaderField], endStream: Bool) {
        let status = unsafe withNativeFields(fields) { native in
            guard !endStream else {
                return unsafe nghttp2_submit_response(handle, stream, native.baseAddress, native.count, nil)
            }
            var provider = unsafe Session.provider
            return unsafe nghttp2_submit_response(handle, stream, native.baseAddress, native.count, &provider)
        }
        if status == 0, !endStream { outputs[stream] = StreamOutput() }
    }

    /// Queues DATA; nothing happens if the stream is gone.
    public func send(stream: Int32, _ buffer: ByteBuffer) {
        guard let queue = outputs[stream] else { return }
        queue.append(buffer)
        resume(stream, queue)
    }

    /// Ends our side of the stream after what was queued, with trailers if there are any.
    public func finish(stream: Int32, trailers: [HeaderField]? = nil) {
        guard let queue = outputs[stream], !queue.isFinished else { return }
        queue.isFinished = true
        queue.trailers = trailers
        resume(stream, queue)
    }

    private func resume(_ stream: Int32, _ queue: StreamOutput) {
        guard queue.isDeferred else { return }
        queue.isDeferred = false
        unsafe nghttp2_session_resume_data(handle, stream)
    }

    public func reset(stream: Int32, code: ErrorCode) {
        outputs[stream] = nil
        unsafe nghttp2_submit_rst_stream(handle, 0, stream, code.rawValue)
    }

    public func ping(_ payload: UInt64) {
        unsafe withUnsafeBytes(of: payload) { raw in
            _ = unsafe nghttp2_submit_ping(handle, 0, raw.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// The first GOAWAY of a graceful end: new streams are still served, but a peer should open none.
    public func announceGoAway() { unsafe nghttp2_submit_shutdown_notice(handle) }

    /// The last GOAWAY of a graceful end: what came until now is served, what comes later is not.
    public func finalGoAway() {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(handle)
        unsafe nghttp2_submit_goaway(handle, 0, last, ErrorCode.noError.rawValue, nil, 0)
    }

    /// GOAWAY with a reason; every stream ends.
    public func terminate(_ error: HTTP2Error) {
        isTerminated = true
        unsafe nghttp2_session_terminate_session(handle, error.code.rawValue)
    }

    // ---- bytes out ----

    /// Packs frames, up to about `maxOutputBytes`, and hands the bytes over.
    /// - Returns: there may be more.
    public func produce(_ body: (ByteBuffer) -> Void) throws(HTTP2Error) -> Bool {
        repeat {
            while output.bytes < settings.maxOutputBytes {
                var pointer: UnsafePointer<UInt8>?
                let count = unsafe nghttp2_session_mem_send(handle, &pointer)
                guard count >= 0 else {
                    throw HTTP2Error(.internalError, Session.describe(Int32(clamping: count)))
                }
                guard count > 0, let pointer = unsafe pointer else { break }
                unsafe output.append(UnsafeRawBufferPointer(start: pointer, count: count))
            }
        } while stopAnswered()
        if let fault, !isTerminated { throw fault }
        let isFull = output.bytes >= settings.maxOutputBytes
        output.drain(body)
        return isFull
    }

    /// Tells peers that still send to a stream that it is answered (RFC 9113, section 8.1).
    private func stopAnswered() -> Bool {
        guard !answered.isEmpty else { return false }
        for stream in answered { unsafe nghttp2_submit_rst_stream(handle, 0, stream, ErrorCode.noError.rawValue) }
        answered.removeAll(keepingCapacity: true)
        return true
    }

    private func withNativeFields<Result>(
        _ fields: [HeaderField], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
    ) -> Result {
        scratch.removeAll(keepingCapacity: true)
        for field in fields {
            scratch.append(contentsOf: field.name.utf8)
            scratch.append(contentsOf: field.value.utf8)
        }
        return unsafe scratch.withUnsafeMutableBufferPointer { bytes in
            unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) { native in
                var next = bytes.baseAddress
                for (index, field) in fields.enumerated() {
                    let (name, value) = (field.name.utf8.count, field.value.utf8.count)
                    let flags = field.isSensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
                    unsafe native.initializeElement(
                        at: index,
                        to: nghttp2_nv(
                            name: next, value: next?.advanced(by: name), namelen: name, valuelen: value,
                            flags: UInt8(flags.rawValue)))
                    unsafe next = next?.advanced(by: name + value)
                }
                return unsafe body(UnsafeBufferPointer(native))
            }
        }
    }

    private static func describe(_ status: Int32) -> String {
        unsafe String(cString: nghttp2_strerror(status))
    }
}

// ---- what nghttp2 calls ----

extension Session {
    /// One table for all sessions; it lives as long as the process.
    @safe private struct Callbacks: @unchecked Sendable {
        let pointer: OpaquePointer?
    }

    private static let provider: nghttp2_data_provider = {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.read_callback = { _, stream, _, length, flags, _, user in
            guard let flags = unsafe flags else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
            return unsafe Session.of(user).fill(stream, upTo: length, &flags.pointee)
        }
        return unsafe provider
    }()

    private static func of(_ user: UnsafeMutableRawPointer?) -> Session {
        // Set once in `init`; nghttp2 only hands it back.
        unsafe Unmanaged<Session>.fromOpaque(user.unsafelyUnwrapped).takeUnretainedValue()
    }

    private static let callbacks: Callbacks = {
        var table: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&table)
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, _, user in
            unsafe Session.of(user).block.begin()
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(table) {
            _, _, name, nameLength, value, valueLength, _, user in
            unsafe Session.of(user).header(
                UnsafeBufferPointer(start: name, count: nameLength),
                UnsafeBufferPointer(start: value, count: valueLength))
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe Session.of(user).received(UnsafeRawPointer(frame))
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table) { _, frame, status, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe Session.of(user).rejected(UnsafeRawPointer(frame), status)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, stream, data, length, user in
            guard let data = unsafe data else { return 0 }
            unsafe Session.of(user).received(stream, UnsafeRawPointer(data), length)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, stream, code, user in
            unsafe Session.of(user).closed(stream, ErrorCode(rawValue: code))
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe Session.of(user).sent(UnsafeRawPointer(frame))
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(table) { _, frame, header, length, _, user in
            guard let frame = unsafe frame, let header = unsafe header else { return 0 }
            let stream = unsafe UnsafeRawPointer(frame).load(as: nghttp2_frame_hd.self).stream_id
            return unsafe Session.of(user).write(stream, UnsafeRawBufferPointer(start: header, count: 9), length)
        }
        unsafe nghttp2_session_callbacks_set_data_source_read_length_callback(table) {
            _, _, _, connectionWindow, streamWindow, maxFrame, user in
            let window = min(Int(connectionWindow), Int(streamWindow), Int(maxFrame))
            return unsafe max(1, min(window, Session.of(user).settings.maxFrameBytes))
        }
        return unsafe Callbacks(pointer: table)
    }()

    private func header(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Int32 {
        let keep = block.count(bytes: name.count + value.count, settings)
        if keep {
            unsafe block.fields.append(
                HeaderField(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        guard !block.isHostile(settings) else {
            return fail(
                HTTP2Error(
                    .enhanceYourCalm, "header block of \(block.count) fields and \(block.bytes) bytes",
                    limit: .headerBlock))
        }
        return 0
    }

    private func received(_ frame: UnsafeRawPointer) -> Int32 {
        let head = unsafe frame.load(as: nghttp2_frame_hd.self)
        let endsStream = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let isAck = head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch UInt32(head.type) {
        case NGHTTP2_HEADERS.rawValue:
            events.append(block.event(stream: head.stream_id, endStream: endsStream))
        case NGHTTP2_DATA.rawValue:
            if endsStream {
                events.append(.ended(stream: head.stream_id))
            } else {
                let padding = unsafe frame.load(as: nghttp2_data.self).padlen
                return fail(flood.countData(bytes: head.length - padding))
            }
        case NGHTTP2_RST_STREAM.rawValue: return count(.resetReceived)
        case NGHTTP2_SETTINGS.rawValue where !isAck:
            let limit = unsafe nghttp2_session_get_remote_settings(handle, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
            events.append(.settings(maxConcurrentStreams: limit))
            return count(.settings)
        case NGHTTP2_PING.rawValue:
            guard isAck else { return count(.ping) }
            let data = unsafe frame.load(as: nghttp2_ping.self).opaque_data
            events.append(.pingAcknowledged(unsafe unsafeBitCast(data, to: UInt64.self)))
        case NGHTTP2_GOAWAY.rawValue:
            let goAway = unsafe frame.load(as: nghttp2_goaway.self)
            let debug = unsafe UnsafeBufferPointer(start: goAway.opaque_data, count: min(goAway.opaque_data_len, 256))
            unsafe events.append(
                .goAway(
                    lastStream: goAway.last_stream_id, code: ErrorCode(rawValue: goAway.error_code),
                    debug: String(decoding: debug, as: UTF8.self)))
        default: break
        }
        return 0
    }

    private func received(_ stream: Int32, _ data: UnsafeRawPointer, _ length: Int) {
        guard let inputBase = unsafe inputBase else { return }
        unsafe events.append(.data(stream: stream, offset: inputBase.distance(to: data), length: length))
    }

    private func closed(_ stream: Int32, _ code: ErrorCode) {
        outputs[stream] = nil
        events.append(.closed(stream: stream, code: code))
    }

    private func sent(_ frame: UnsafeRawPointer) -> Int32 {
        let head = unsafe frame.load(as: nghttp2_frame_hd.self)
        switch UInt32(head.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            flood.forgivePings()
            if role == .server, head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
                unsafe nghttp2_session_get_stream_remote_close(handle, head.stream_id) == 0
            {
                answered.append(head.stream_id)
            }
        case NGHTTP2_RST_STREAM.rawValue where role == .server:
            let code = unsafe frame.load(as: nghttp2_rst_stream.self).error_code
            // Not by failing this callback: the session must still be able to say why it ends.
            if code != ErrorCode.noError.rawValue { fault = fault ?? flood.count(.resetSent) }
        case NGHTTP2_GOAWAY.rawValue where !isTerminated:
            let goAway = unsafe frame.load(as: nghttp2_goaway.self)
            guard unsafe goAway.error_code != ErrorCode.noError.rawValue else { break }
            let text = unsafe UnsafeBufferPointer(start: goAway.opaque_data, count: goAway.opaque_data_len)
            let code = unsafe ErrorCode(rawValue: goAway.error_code)
            violation = HTTP2Error(
                code, unsafe String(decoding: text, as: UTF8.self),
                limit: code == .enhanceYourCalm ? .settingsEntries : .connectionViolation)
        default: break
        }
        return 0
    }

    /// How much of `stream` goes into the next DATA frame.
    private func fill(_ stream: Int32, upTo length: Int, _ flags: inout UInt32) -> Int {
        guard let queue = outputs[stream] else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        let count = min(length, queue.pending)
        guard count > 0 || queue.isFinished else {
            queue.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if queue.isFinished, count == queue.pending {
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let trailers = queue.trailers {
                flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                unsafe withNativeFields(trailers) { native in
                    _ = unsafe nghttp2_submit_trailer(handle, stream, native.baseAddress, native.count)
                }
            }
        }
        return count
    }

    private func write(_ stream: Int32, _ header: UnsafeRawBufferPointer, _ length: Int) -> Int32 {
        unsafe output.append(header)
        if length > 0 {
            guard let queue = outputs[stream], queue.pending >= length else {
                return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
            }
            queue.take(length, into: &output)
            events.append(.sent(stream: stream, bytes: length))
        }
        return output.bytes >= settings.maxOutputBytes ? Int32(NGHTTP2_ERR_PAUSE.rawValue) : 0
    }

    /// A frame that nghttp2 rejects. It ends its stream by itself; a connection's end shows in `sent`.
    private func rejected(_ frame: UnsafeRawPointer, _ status: Int32) {
        let stream = unsafe frame.load(as: nghttp2_frame_hd.self).stream_id
        switch status {
        case NGHTTP2_ERR_REFUSED_STREAM.rawValue: events.append(.rejected(stream: stream, .concurrentStreams))
        case NGHTTP2_ERR_HTTP_HEADER.rawValue, NGHTTP2_ERR_HTTP_MESSAGING.rawValue:
            events.append(.rejected(stream: stream, .streamViolation))
        default: break
        }
    }

    private func count(_ kind: FloodGuard.Kind) -> Int32 { fail(flood.count(kind)) }

    private func fail(_ trouble: HTTP2Error?) -> Int32 {
        guard let trouble else { return 0 }
        fault = fault ?? trouble
        return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
    }
}
