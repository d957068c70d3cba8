internal import CNghttp2
import NIOCore

/// What nghttp2 calls: each callback writes down what happened, and returns.
extension Session {
    /// One table for all sessions; it lives as long as the process.
    @safe struct Callbacks: @unchecked Sendable {
        let pointer: OpaquePointer?
    }

    /// Asks the session for the bytes of a stream.
    static var provider: nghttp2_data_provider {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.read_callback = { _, stream, frame, length, flags, _, user in
            guard let frame = unsafe frame, let flags = unsafe flags else {
                return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
            }
            return unsafe Session.with(user) { unsafe $0.fill(stream, frame, upTo: length, &flags.pointee) }
        }
        return unsafe provider
    }

    /// Set once in `init`; nghttp2 only hands it back, while its owner calls it.
    private static func with<Result>(_ user: UnsafeMutableRawPointer?, _ body: (Session) -> Result) -> Result {
        unsafe Unmanaged<Session>.fromOpaque(user.unsafelyUnwrapped)._withUnsafeGuaranteedRef(body)
    }

    static let callbacks: Callbacks = {
        var table: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&table)
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe Session.with(user) { unsafe $0.begins(UnsafeRawPointer(frame)) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(table) {
            _, _, name, nameLength, value, valueLength, _, user in
            unsafe Session.with(user) {
                unsafe $0.header(
                    UnsafeBufferPointer(start: name, count: nameLength),
                    UnsafeBufferPointer(start: value, count: valueLength))
            }
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            return unsafe Session.with(user) { unsafe $0.received(UnsafeRawPointer(frame)) }
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table) { _, _, _, user in
            unsafe Session.with(user) { $0.rejected() }
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, stream, data, length, user in
            guard let data = unsafe data else { return 0 }
            unsafe Session.with(user) { unsafe $0.received(stream, UnsafeRawPointer(data), length) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, stream, code, user in
            unsafe Session.with(user) { $0.closed(stream, ErrorCode(rawValue: code)) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe Session.with(user) { unsafe $0.sent(UnsafeRawPointer(frame)) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(table) { _, frame, _, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe Session.with(user) { unsafe $0.notSent(UnsafeRawPointer(frame)) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(table) { _, frame, header, length, _, user in
            guard let frame = unsafe frame, let header = unsafe header else { return 0 }
            let stream = unsafe UnsafeRawPointer(frame).load(as: nghttp2_frame_hd.self).stream_id
            return unsafe Session.with(user) {
                unsafe $0.write(stream, UnsafeRawBufferPointer(start: header, count: 9), length)
            }
        }
        unsafe nghttp2_session_callbacks_set_data_source_read_length_callback(table) {
            _, _, _, connectionWindow, streamWindow, maxFrame, user in
            let window = min(Int(connectionWindow), Int(streamWindow), Int(maxFrame))
            return unsafe max(1, min(window, Session.with(user) { $0.settings.maxFrameBytes }))
        }
        return unsafe Callbacks(pointer: table)
    }()

    private func begins(_ frame: UnsafeRawPointer) {
        state.log.beginHeaders()
        if unsafe Session.isRequest(frame) { state.openRequests += 1 }
    }

    /// - Parameter frame: HEADERS.
    private static func isRequest(_ frame: UnsafeRawPointer) -> Bool {
        unsafe frame.load(as: nghttp2_headers.self).cat == NGHTTP2_HCAT_REQUEST
    }

    private func header(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard let block = unsafe state.log.header(name, value, settings) else { return 0 }
        return fail(
            HTTP2Error(
                .enhanceYourCalm, "header block of \(block.count) fields and \(block.bytes) bytes", limit: .headerBlock)
        )
    }

    private func received(_ frame: UnsafeRawPointer) -> Int32 {
        let head = unsafe frame.load(as: nghttp2_frame_hd.self)
        let endsStream = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let isAck = head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch UInt32(head.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard role == .server else {
                state.log.headers(head.stream_id, endStream: endsStream)
                break
            }
            guard unsafe Session.isRequest(frame) else {
                state.log.trailers(head.stream_id)
                break
            }
            guard state.openRequests <= settings.maxConcurrentStreams else { return refuse(head.stream_id) }
            // nghttp2 refuses it when the last GOAWAY is sent, and its client may then begin it anew elsewhere.
            guard head.stream_id <= state.lastServed else {
                state.log.dropped()
                break
            }
            sendInTurn(head.stream_id)
            state.log.headers(head.stream_id, endStream: endsStream)
        case NGHTTP2_DATA.rawValue:
            if endsStream {
                state.log.ended(head.stream_id)
            } else {
                let padding = unsafe frame.load(as: nghttp2_data.self).padlen
                if padding > 0 { credit(stream: head.stream_id, bytes: state.padding.add(padding, of: head.stream_id)) }
            }
        case NGHTTP2_RST_STREAM.rawValue:
            // A server may refuse what its client opens, as fast as it is opened.
            return role == .client && isOpen(head.stream_id) ? 0 : count(.resetReceived)
        case NGHTTP2_SETTINGS.rawValue where !isAck:
            let limit = unsafe nghttp2_session_get_remote_settings(handle, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
            state.log.settings(maxConcurrentStreams: limit)
            if unsafe Session.hasTableSize(frame) { state.owesTableSize = true }
            return count(.settings)
        case NGHTTP2_PING.rawValue:
            guard isAck else {
                state.log.ping()
                return count(.ping)
            }
            let data = unsafe frame.load(as: nghttp2_ping.self).opaque_data
            state.log.pingAcknowledged(unsafe unsafeBitCast(data, to: UInt64.self))
        case NGHTTP2_GOAWAY.rawValue:
            let goAway = unsafe frame.load(as: nghttp2_goaway.self)
            let debug = unsafe UnsafeBufferPointer(start: goAway.opaque_data, count: min(goAway.opaque_data_len, 256))
            unsafe state.log.goAway(
                lastStream: goAway.last_stream_id, code: ErrorCode(rawValue: goAway.error_code),
                debug: String(decoding: debug, as: UTF8.self))
        case NGHTTP2_PUSH_PROMISE.rawValue: state.log.dropped()
        default: break
        }
        return 0
    }

    /// - Parameter frame: SETTINGS.
    private static func hasTableSize(_ frame: UnsafeRawPointer) -> Bool {
        let settings = unsafe frame.load(as: nghttp2_settings.self)
        let entries = unsafe UnsafeBufferPointer(start: settings.iv, count: settings.niv)
        return unsafe entries.contains { $0.settings_id == Int32(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue) }
    }

    /// A request beyond the limit. nghttp2 would end the connection, of a client whose streams may only have crossed our
    /// SETTINGS or a reset, so it does not know of the limit.
    private func refuse(_ stream: Int32) -> Int32 {
        state.log.refused(stream)
        unsafe nghttp2_submit_rst_stream(handle, 0, stream, ErrorCode.refusedStream.rawValue)
        return fail(state.countRefusal())
    }

    /// By RFC 9218 an answer goes out whole before the next one of its urgency, unless its request says that it is of use in
    /// parts: one long answer would hold up all others. So all are, whatever their requests say.
    private func sendInTurn(_ stream: Int32) {
        var turn = nghttp2_extpri(urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
        unsafe nghttp2_session_change_extpri_stream_priority(handle, stream, &turn, 1)
    }

    private func received(_ stream: Int32, _ data: UnsafeRawPointer, _ length: Int) {
        state.log.data(stream, offset: Int(UInt(bitPattern: data) - state.inputStart), length: length)
    }

    private func closed(_ stream: Int32, _ code: ErrorCode) {
        state.removeOutput(stream)
        if !state.ending.isEmpty { state.ending.removeAll { $0 == stream } }
        state.padding.closed(stream)
        if role == .server { state.openRequests -= 1 }
        state.log.closed(stream, code)
    }

    private func sent(_ frame: UnsafeRawPointer) {
        let head = unsafe frame.load(as: nghttp2_frame_hd.self)
        switch UInt32(head.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            state.flood.sentCallFrame(bytes: head.length)
            state.callFramesSent &+= 1
            if UInt32(head.type) == NGHTTP2_HEADERS.rawValue {
                state.owesTableSize = false
                if role == .client { state.lastRequestSent = max(state.lastRequestSent, head.stream_id) }
            }
            if role == .server, head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
                unsafe nghttp2_session_get_stream_remote_close(handle, head.stream_id) == 0
            {
                state.answered.append(head.stream_id)
            }
        case NGHTTP2_RST_STREAM.rawValue:
            let code = unsafe frame.load(as: nghttp2_rst_stream.self).error_code
            // Not by failing this callback: the session must still be able to say why it ends. A client opens its streams itself.
            if role == .server, Self.isCounted(ErrorCode(rawValue: code)) { state.note(state.resetSent()) }
            if Self.violations.contains(code) { state.log.rejected(head.stream_id, .streamViolation) }
        case NGHTTP2_GOAWAY.rawValue where !state.isTerminated:
            let goAway = unsafe frame.load(as: nghttp2_goaway.self)
            guard unsafe goAway.error_code != ErrorCode.noError.rawValue else {
                if let payload = state.pingAfterGoAway.take() { ping(payload) }
                break
            }
            let text = unsafe UnsafeBufferPointer(start: goAway.opaque_data, count: goAway.opaque_data_len)
            let code = unsafe ErrorCode(rawValue: goAway.error_code)
            state.violation = HTTP2Error(
                code, unsafe String(decoding: text, as: UTF8.self),
                limit: code == .enhanceYourCalm ? .settingsEntries : .connectionViolation)
        default: break
        }
    }

    /// A head or trailers that nghttp2 cannot send, since they are larger than it can. It ends the stream only of a request;
    /// nobody would end the others.
    private func notSent(_ frame: UnsafeRawPointer) {
        let head = unsafe frame.load(as: nghttp2_frame_hd.self)
        guard UInt32(head.type) == NGHTTP2_HEADERS.rawValue, unsafe !Session.isRequest(frame), isOpen(head.stream_id)
        else { return }
        state.removeOutput(head.stream_id)
        state.willResetForOurselves()
        unsafe nghttp2_submit_rst_stream(handle, 0, head.stream_id, ErrorCode.internalError.rawValue)
    }

    /// The peer made us reset the stream. What we refuse because we are busy, or have answered before its end, is no fault of
    /// its.
    static func isCounted(_ code: ErrorCode) -> Bool { code != .noError && code != .refusedStream }

    /// Codes of a reset that only nghttp2 sends, for a mistake of the peer.
    private static let violations = [
        ErrorCode.protocolError.rawValue, ErrorCode.flowControlError.rawValue, ErrorCode.streamClosed.rawValue,
        NGHTTP2_FRAME_SIZE_ERROR.rawValue,
    ]

    /// How much of `stream` goes into the next DATA frame. Where it is little it is copied there; else `write` is asked.
    private func fill(
        _ stream: Int32, _ frame: UnsafeMutablePointer<UInt8>, upTo length: Int, _ flags: inout UInt32
    ) -> Int {
        guard let place = state.outputs.find(stream) else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let count: Int
        switch state.next(at: place, upTo: length) {
        case .nothing: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .some(let next): count = next
        case .last(let next, let trailers):
            count = next
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if submit(trailers, stream) { flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue }
        }
        if count > OutputQueue.copyLimit {
            flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        } else {
            unsafe state.copy(count, of: stream, at: place, to: frame)
        }
        return count
    }

    /// - Returns: there are trailers.
    private func submit(_ trailers: StreamOutput.Trailers, _ stream: Int32) -> Bool {
        switch trailers {
        case .none: return false
        case .fields(let fields):
            unsafe withNativeFields(fields) { native in
                _ = unsafe nghttp2_submit_trailer(handle, stream, native.baseAddress, native.count)
            }
        case .prepared(let fields):
            unsafe nghttp2_submit_trailer(handle, stream, fields.native.baseAddress, fields.native.count)
        }
        return true
    }

    private func write(_ stream: Int32, _ header: UnsafeRawBufferPointer, _ length: Int) -> Int32 {
        unsafe state.output.append(header)
        if length > 0 {
            guard state.write(length, of: stream) else { return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        }
        return state.output.bytes >= settings.maxOutputBytes ? Int32(NGHTTP2_ERR_PAUSE.rawValue) : 0
    }

    /// A frame that nghttp2 rejects; it has queued RST_STREAM or GOAWAY, which shows in `sent`.
    private func rejected() -> Int32 {
        state.log.dropped()
        return role == .server ? fail(state.countReset()) : 0
    }

    private func count(_ kind: FloodGuard.Kind) -> Int32 { fail(state.flood.count(kind)) }

    private func fail(_ trouble: HTTP2Error?) -> Int32 {
        guard let trouble else { return 0 }
        state.note(trouble)
        return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
    }
}
