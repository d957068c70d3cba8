internal import CNghttp2
public import NIOCore

/// The frames of streams: heads, bodies, ends.
extension Session {
    // ---- frames out ----

    /// Opens a stream. Its body follows by `send` and `finish`.
    /// - Throws: if no stream can be opened: the peer said goodbye, or the ids are used up.
    public func request(_ fields: [HeaderField]) throws(HTTP2Error) -> Int32 {
        try unsafe open(StreamOutput()) { submit in unsafe withNativeFields(fields) { unsafe submit($0) } }
    }

    /// Opens a stream, as above, whose head is `head` and then `own`.
    public func request(_ head: PreparedFields, _ own: [HeaderField]) throws(HTTP2Error) -> Int32 {
        try request(head, own, StreamOutput())
    }

    /// Opens a stream and sends a whole request on it. What is sent is not told of as `sent`.
    public func request(
        _ head: PreparedFields, _ own: [HeaderField], prefix: ShortBytes, body: ByteBuffer
    ) throws(HTTP2Error) -> Int32 {
        try request(head, own, StreamOutput(prefix: prefix, body: body))
    }

    private func request(
        _ head: PreparedFields, _ own: [HeaderField], _ output: StreamOutput
    ) throws(HTTP2Error) -> Int32 {
        state.keep(head)
        return try unsafe open(output) { submit in
            let head = unsafe head.native
            guard !own.isEmpty else { return unsafe submit(UnsafeBufferPointer(head)) }
            return unsafe withNativeFields(own) { own in
                unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: head.count + own.count) { all in
                    _ = unsafe all.initialize(fromContentsOf: head)
                    _ = unsafe all.extracting(head.count...).initialize(fromContentsOf: own)
                    return unsafe submit(UnsafeBufferPointer(all))
                }
            }
        }
    }

    /// The next stream has this id, for tests of what happens at the end of them. An odd number.
    func skipStreams(before id: Int32) { _ = unsafe nghttp2_session_set_next_stream_id(handle, id) }

    private func open(
        _ output: StreamOutput, _ withFields: (_ submit: (UnsafeBufferPointer<nghttp2_nv>) -> Int32) -> Int32
    ) throws(HTTP2Error) -> Int32 {
        guard unsafe nghttp2_session_check_request_allowed(handle) != 0 else {
            throw HTTP2Error(.refusedStream, "the connection takes no new streams")
        }
        let id = unsafe withFields { native in
            var provider = unsafe Session.provider
            return unsafe nghttp2_submit_request(handle, nil, native.baseAddress, native.count, &provider, nil)
        }
        guard id > 0 else { throw HTTP2Error(.refusedStream, Session.describe(id)) }
        state.addOutput(id, output)
        return id
    }

    /// nghttp2 takes an answer to a stream that is gone, and drops it when it is to be sent.
    func isOpen(_ stream: Int32) -> Bool {
        unsafe nghttp2_session_get_stream_remote_close(handle, stream) >= 0
    }

    /// Answers a request. Unless `endStream`, a body follows by `send` and `finish`. Nothing happens if the stream is gone.
    public func respond(stream: Int32, fields: [HeaderField], endStream: Bool) {
        guard isOpen(stream) else { return }
        let status = unsafe withNativeFields(fields) { native in
            guard !endStream else {
                return unsafe nghttp2_submit_response(handle, stream, native.baseAddress, native.count, nil)
            }
            var provider = unsafe Session.provider
            return unsafe nghttp2_submit_response(handle, stream, native.baseAddress, native.count, &provider)
        }
        if status == 0, !endStream { state.addOutput(stream, StreamOutput()) }
    }

    /// Answers a request at once: head, body and trailers. Nothing happens if the stream is gone.
    public func reply(
        stream: Int32, head: PreparedFields, prefix: ShortBytes, body: ByteBuffer, trailers: PreparedFields
    ) {
        guard isOpen(stream) else { return }
        state.keep(head)
        state.keep(trailers)
        var provider = unsafe Session.provider
        let status = unsafe nghttp2_submit_response(
            handle, stream, head.native.baseAddress, head.native.count, &provider)
        if status == 0 { state.addOutput(stream, StreamOutput(prefix: prefix, body: body, trailers: trailers)) }
    }

    /// Queues DATA; nothing happens if the stream is gone.
    public func send(stream: Int32, _ buffer: ByteBuffer) {
        guard let place = state.outputs.find(stream) else { return }
        state.append(buffer, at: place)
        resume(stream, place)
    }

    /// Ends our side of the stream after what was queued, with trailers if there are any.
    public func finish(stream: Int32, trailers: [HeaderField]? = nil) {
        guard let place = state.outputs.find(stream), !state.outputs[at: place].isFinished else { return }
        // They need no window, which is used up perhaps, and nghttp2 asks for nothing while it is.
        if state.outputs[at: place].pending == 0 {
            if let trailers { return endNow(stream, trailers) }
            state.ending.append(stream)
        }
        state.finish(at: place, trailers.map { .fields($0) } ?? .none)
        resume(stream, place)
    }

    /// Ends our side of the stream at once, with trailers; what was queued is dropped, and may have been half sent.
    ///
    /// DATA waits for the peer's window, and so would trailers behind it. Frames are queued whole, so that none is cut.
    public func cutShort(stream: Int32, trailers: [HeaderField]) {
        guard let place = state.outputs.find(stream) else { return }
        guard state.outputs[at: place].pending > 0 else { return finish(stream: stream, trailers: trailers) }
        endNow(stream, trailers)
    }

    private func endNow(_ stream: Int32, _ trailers: [HeaderField]) {
        state.removeOutput(stream)
        unsafe withNativeFields(trailers) {
            _ = unsafe nghttp2_submit_trailer(handle, stream, $0.baseAddress, $0.count)
        }
    }

    /// Ends the next body that nghttp2 has left open though nothing of it waits: it asks for nothing while a window is used up,
    /// and would send no DATA, of which the end needs no window (RFC 9113, section 6.9). So the end goes to nghttp2 as trailers
    /// without fields. To be asked when nghttp2 has nothing more to send.
    /// - Returns: there is one.
    func endBody() -> Bool {
        // There is room for the frame at once, so that no SETTINGS come before it is sent. They may have the next header block,
        // which would be this one, say how large the compression table is.
        guard !state.ending.isEmpty, !state.owesTableSize, state.output.bytes < settings.maxOutputBytes else {
            return false
        }
        state.ending.removeAll { isEnded($0) ?? false }
        guard let next = state.ending.firstIndex(where: { isEnded($0) == false }) else { return false }
        endNow(state.ending.remove(at: next), [])
        return true
    }

    /// Our side of the stream; nil: it is not begun, or gone.
    private func isEnded(_ stream: Int32) -> Bool? {
        let status = unsafe nghttp2_session_get_stream_local_close(handle, stream)
        return status < 0 ? nil : status > 0
    }

    private func resume(_ stream: Int32, _ place: Int) {
        guard state.resumes(at: place) else { return }
        unsafe nghttp2_session_resume_data(handle, stream)
    }

    /// Of a stream whose other side has ended: ours has not. (What is sent stays known until both have.)
    public func isSending(_ stream: Int32) -> Bool { state.outputs.contains(stream) }

    /// The head of a client's request has left the session. Until then its server has surely seen nothing of it.
    public func hasSent(request stream: Int32) -> Bool { stream <= state.lastRequestSent }

    public func reset(stream: Int32, code: ErrorCode) {
        state.removeOutput(stream)
        if role == .server {
            guard isOpen(stream) else { return }
            if Self.isCounted(code) { state.note(state.countReset()) }
        }
        unsafe nghttp2_submit_rst_stream(handle, 0, stream, code.rawValue)
    }

    /// Bytes of bodies that wait to be sent, on all streams.
    public var unsentBytes: Int { state.unsentBytes }

    /// HEADERS and DATA that were sent.
    public var callFramesSent: UInt64 { state.callFramesSent }

    /// The last stream of the peer that was begun.
    public var lastPeerStream: Int32 { unsafe nghttp2_session_get_last_proc_stream_id(handle) }

    /// Each stream that has something to send: how much of it waits and how much has gone.
    public func forEachOutput(_ body: (_ stream: Int32, _ pending: Int, _ sent: Int) -> Void) {
        state.outputs.forEachStream { body($0, $1.pending, $1.sent) }
    }

    /// After `time` nobody wants what waits to be sent on `stream`: `lateOutputs` finds it then.
    /// - Parameter time: as in `receive`.
    public func expect(stream: Int32, by time: UInt64) {
        if let place = state.outputs.find(stream) { state.expect(at: place, by: time) }
    }

    /// - Returns: the streams of which something waits beyond its time, and when that of the next one is over.
    public func lateOutputs(at now: UInt64) -> (streams: [Int32], next: UInt64?) {
        var (streams, next): ([Int32], UInt64) = ([], .max)
        state.outputs.forEachStream { stream, output in
            guard output.pending > 0 else { return }
            if output.wantedUntil <= now { streams.append(stream) } else { next = min(next, output.wantedUntil) }
        }
        return (streams, next == .max ? nil : next)
    }

    func withNativeFields<Result>(
        _ fields: [HeaderField], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
    ) -> Result {
        unsafe scratch.removeAll(keepingCapacity: true)
        for field in fields {
            unsafe scratch.append(contentsOf: field.name.utf8)
            unsafe scratch.append(contentsOf: field.value.utf8)
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
}
